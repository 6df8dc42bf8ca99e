//! Units of a user's systemd, in a booted machine of its own.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;

use nix::sys::signal::Signal;
use wnm_tests::call::{Background, Call, Outcome};
use wnm_tests::database::NodeRow;
use wnm_tests::systemd::{As, Machine};
use wnm_tests::wait::{LONG, until};

use super::FaultBackend;
use crate::silence::{NOWHERE, Supervisor};

/// The unit of the machine's systemd that runs Ann's.
const MANAGER: &str = "user@1500.service";

fn run<S: AsRef<OsStr>>(
    machine: &Machine,
    program: &str,
    args: impl IntoIterator<Item = S>,
) -> Outcome {
    machine.run_as(As::Root, program, args)
}

fn change_mounts<const N: usize>(machine: &Machine, program: &str, words: [&str; N], dir: &Path) {
    let words = words.into_iter().map(Path::new).chain([dir]);
    let changed = run(machine, program, words);
    // A failed run is over, and a second panic would hide the reason.
    if !std::thread::panicking() {
        let _done = changed.succeeded();
    }
}

/// Signals Ann's systemd.
fn signal_manager(machine: &Machine, signal: &str) {
    let asked = ["show", "--property=MainPID", "--value", MANAGER];
    let shown = machine.system.systemctl(As::Root, asked).succeeded();
    let _sent = run(machine, "/bin/kill", [signal, shown.stdout.trim()]).succeeded();
}

fn wait_for_manager(machine: &Machine) {
    until(LONG, "Ann's systemd", || {
        let state = machine.systemctl(["is-system-running"]);
        matches!(state.stdout.trim(), "running" | "degraded")
    });
}

impl FaultBackend for Machine {
    fn kill_program(&self, operation: Background) -> Outcome {
        self.system.kill(operation)
    }

    fn output(&self, row: &NodeRow) -> String {
        let of_it = format!("_SYSTEMD_USER_UNIT={}", row.service);
        let words = ["--output=cat", "--no-pager", &of_it];
        run(self, "/bin/journalctl", words).stdout
    }

    fn make_read_only(&self, dir: &Path) {
        let words = dir.to_str().expect("a path that is text");
        change_mounts(self, "/bin/mount", ["--bind", words], dir);
        change_mounts(self, "/bin/mount", ["-o", "remount,bind,ro"], dir);
    }

    /// Files that were opened meanwhile stay open.
    fn make_writable(&self, dir: &Path) {
        change_mounts(self, "/bin/mount", ["-o", "remount,bind,rw"], dir);
        change_mounts(self, "/bin/umount", ["--lazy"], dir);
    }

    fn network(&self) -> Option<File> {
        Some(self.system.network().expect("a network of its own"))
    }

    fn cut_power(&self, operation: Background) -> Outcome {
        self.system.cut_power();
        wait_for_manager(self);
        // The process that entered the machine may outlive the program.
        operation.end_with(Signal::SIGKILL)
    }

    fn supervisor(&self) -> Option<&dyn Supervisor> {
        Some(self)
    }
}

impl Supervisor for Machine {
    fn freeze(&self) {
        signal_manager(self, "-STOP");
    }

    fn thaw(&self) {
        signal_manager(self, "-CONT");
        wait_for_manager(self);
    }

    /// Its nodes end, too. A start before systemd notices the end would have no effect.
    fn take_down(&self) {
        signal_manager(self, "-KILL");
        until(LONG, "the end of Ann's systemd", || {
            let state = self.system.systemctl(As::Root, ["is-active", MANAGER]);
            matches!(state.stdout.trim(), "failed" | "inactive")
        });
    }

    fn bring_up(&self) {
        let system = &self.system;
        let _ = system.systemctl(As::Root, ["reset-failed", MANAGER]);
        let _started = system.systemctl(As::Root, ["start", MANAGER]).succeeded();
        wait_for_manager(self);
    }

    /// wnm can lose `systemctl` and the bus.
    fn lost(&self, entirely: bool) -> Call {
        let mut environment = vec![format!("PATH={NOWHERE}")];
        if entirely {
            environment.push(format!("XDG_RUNTIME_DIR={NOWHERE}"));
        }
        let env = Path::new("/usr/bin/env");
        let call = self.system.call(As::Ann, env, environment);
        let program = self.programs.path().join("wnm");
        call.env("DBPATH", self.database()).arg(program)
    }
}
