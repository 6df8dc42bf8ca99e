//! Units of a user's systemd, in a system of its own.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use wnm_tests::call::{Background, Call, Outcome};
use wnm_tests::database::{Database, NodeRow};
use wnm_tests::systemd::{As, Inside};
use wnm_tests::wait::{LONG, until};

use super::Ground;
use crate::silence::{NOWHERE, Supervisor};

/// The unit that Ann's systemd is to the machine's.
const MANAGER: &str = "user@1500.service";

/// A colony of Ann's units.
pub struct Units(Inside);

impl Units {
    /// Boots its system, which has the colony below `place`. `None` after saying that the test is skipped.
    pub fn below(place: &Path) -> Option<Self> {
        Inside::with_nodes_below(place, As::Ann).map(Self)
    }

    /// Runs a program of the system as root.
    fn run<S: AsRef<OsStr>>(&self, program: &str, args: impl IntoIterator<Item = S>) -> Outcome {
        let program = Path::new(program);
        self.0.system.call(As::Root, program, args).run()
    }

    fn mount<const N: usize>(&self, words: [&str; N], dir: &Path) {
        self.change_mounts("/bin/mount", words, dir);
    }

    fn change_mounts<const N: usize>(&self, program: &str, words: [&str; N], dir: &Path) {
        let words = words.into_iter().map(Path::new).chain([dir]);
        let changed = self.run(program, words);
        // A run that failed is over, and a second panic would hide why.
        if !std::thread::panicking() {
            let _done = changed.succeeded();
        }
    }

    /// Sends a signal to a process, as it is numbered inside.
    fn signal(&self, signal: &str, pid: &str) -> Outcome {
        self.run("/bin/kill", [signal, pid])
    }

    /// The process of Ann's systemd.
    fn manager(&self) -> String {
        let asked = ["show", "--property=MainPID", "--value", MANAGER];
        let told = self.0.system.systemctl(As::Root, asked).succeeded();
        told.stdout.trim().to_owned()
    }

    fn wait_for_manager(&self) {
        until(LONG, "Ann's systemd", || {
            let state = self.0.systemctl(["is-system-running"]);
            matches!(state.stdout.trim(), "running" | "degraded")
        });
    }
}

impl Ground for Units {
    fn init(&self, program: &Path, options: &[String]) {
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let _made = self.0.init(program, &options);
    }

    fn wnm(&self) -> Call {
        self.0.wnm([""; 0])
    }

    fn database(&self) -> Database {
        Database::at(&self.0.database())
    }

    fn program(&self, version: &str) -> PathBuf {
        self.0.program(version)
    }

    fn dir(&self) -> &Path {
        self.0.programs.path()
    }

    fn storage(&self) -> PathBuf {
        self.0.storage()
    }

    fn running(&self, rows: &[NodeRow]) -> BTreeSet<u32> {
        let runs = rows
            .iter()
            .filter(|row| self.0.main_pid(&row.service).is_some());
        runs.map(|row| row.id).collect()
    }

    fn kill_node(&self, row: &NodeRow) {
        if let Some(pid) = self.0.main_pid(&row.service) {
            // It may have ended.
            drop(self.signal("-KILL", &pid.to_string()));
        }
    }

    fn wait_for_restarts(&self) {
        let waiting = ["--state=activating", "--plain", "--no-legend", "antnode*"];
        let words = ["list-units"].into_iter().chain(waiting);
        until(LONG, "every unit that is about to run", || {
            let told = self.0.systemctl(words.clone()).succeeded();
            told.stdout.is_empty()
        });
    }

    fn check_agreement(&self) {
        self.0.check_agreement();
    }

    fn kill_program(&self, operation: Background) -> Outcome {
        self.0.system.kill(operation)
    }

    fn output(&self, row: &NodeRow) -> String {
        let of_it = format!("_SYSTEMD_USER_UNIT={}", row.service);
        let words = ["--output=cat", "--no-pager", &of_it];
        self.run("/bin/journalctl", words).stdout
    }

    fn make_read_only(&self, dir: &Path) {
        let words = dir.to_str().expect("a path that is text");
        self.mount(["--bind", words], dir);
        self.mount(["-o", "remount,bind,ro"], dir);
    }

    /// What was opened meanwhile goes on with it.
    fn make_writable(&self, dir: &Path) {
        self.mount(["-o", "remount,bind,rw"], dir);
        self.change_mounts("/bin/umount", ["--lazy"], dir);
    }

    fn network(&self) -> Option<File> {
        Some(self.0.system.network().expect("a network of its own"))
    }

    fn seen_at(&self, path: &Path) -> PathBuf {
        self.0.system.path(path)
    }

    fn page(&self, port: u16) -> io::Result<String> {
        self.0.system.page(port, "/metadata")
    }

    fn cut_power(&self, operation: Background) -> Outcome {
        self.0.system.cut_power();
        self.wait_for_manager();
        // Who called from outside may not have ended with the program.
        operation.end_with(Signal::SIGKILL)
    }

    fn supervisor(&self) -> Option<&dyn Supervisor> {
        Some(self)
    }
}

impl Supervisor for Units {
    fn freeze(&self) {
        let _stopped = self.signal("-STOP", &self.manager()).succeeded();
    }

    fn thaw(&self) {
        let _goes_on = self.signal("-CONT", &self.manager()).succeeded();
        self.wait_for_manager();
    }

    /// And its nodes with it. To start it before its end was noticed would do nothing.
    fn leave(&self) {
        let _killed = self.signal("-KILL", &self.manager()).succeeded();
        until(LONG, "the end of Ann's systemd", || {
            let state = self.0.system.systemctl(As::Root, ["is-active", MANAGER]);
            matches!(state.stdout.trim(), "failed" | "inactive")
        });
    }

    fn come_back(&self) {
        let system = &self.0.system;
        let _ = system.systemctl(As::Root, ["reset-failed", MANAGER]);
        let _started = system.systemctl(As::Root, ["start", MANAGER]).succeeded();
        self.wait_for_manager();
    }

    /// There is a `systemctl` and a bus to be lost.
    fn lost(&self, entirely: bool) -> Call {
        let mut environment = vec![format!("PATH={NOWHERE}")];
        if entirely {
            environment.push(format!("XDG_RUNTIME_DIR={NOWHERE}"));
        }
        let env = Path::new("/usr/bin/env");
        let call = self.0.system.call(As::Ann, env, environment);
        let program = self.0.programs.path().join("wnm");
        call.env("DBPATH", self.0.database()).arg(program)
    }
}
