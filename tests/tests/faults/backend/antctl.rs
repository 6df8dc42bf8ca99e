//! Services of the real antctl, which can be moved out of the way.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use wnm_tests::antctl::AntctlFixture;
use wnm_tests::backend::TestBackend;
use wnm_tests::call::{Background, Call, Outcome};
use wnm_tests::database::NodeRow;
use wnm_tests::wait::{LONG, until};

use super::FaultBackend;
use crate::power::{self, PowerByCopy};
use crate::silence::{NOWHERE, Supervisor};

/// antctl, beside the script that stands in its place while it hangs.
const REAL: &str = "antctl-real";

/// antctl, while calls are not to find it.
const HIDDEN: &str = "antctl-hidden";

/// The pipe at which calls wait while antctl hangs.
const PIPE: &str = "antctl-pipe";

impl FaultBackend for AntctlFixture {
    fn output(&self, row: &NodeRow) -> String {
        let log = format!("runtime/stub-systemd/{}.log", row.service);
        fs::read_to_string(self.dir().join(log)).unwrap_or_default()
    }

    fn cut_power(&self, operation: Background) -> Outcome {
        power::cut(self.dir(), self, operation)
    }

    fn supervisor(&self) -> Option<&dyn Supervisor> {
        Some(self)
    }
}

impl PowerByCopy for AntctlFixture {
    fn kept(&self) -> &[&str] {
        &["nodes", "data", "config"]
    }

    /// antctl and its children, which outlive wnm, and whatever they start meanwhile.
    fn stop(&self) {
        let mut stopped = BTreeSet::new();
        until(LONG, "nothing new to be started", || {
            let processes = self.colony.processes();
            let new = processes
                .iter()
                .filter(|process| stopped.insert(process.pid));
            let new: Vec<_> = new.collect();
            for process in &new {
                process.signal(Signal::SIGSTOP);
            }
            new.is_empty()
        });
    }

    /// The state that systemd keeps in memory is lost.
    fn off(&self) {
        let memory = self.dir().join("runtime/stub-systemd");
        if memory.exists() {
            fs::remove_dir_all(memory).unwrap();
        }
    }
}

impl Supervisor for AntctlFixture {
    /// Each call waits before it does anything.
    fn freeze(&self) {
        let pipe = self.antctl.with_file_name(PIPE);
        nix::unistd::mkfifo(&pipe, Mode::from_bits_truncate(0o644)).expect("no pipe");
        let real = self.antctl.with_file_name(REAL);
        if !real.exists() {
            fs::hard_link(&self.antctl, &real).unwrap();
        }
        let text = format!(
            "#!/bin/sh\nread -r _ <{}\nexec {} \"$@\"\n",
            pipe.display(),
            real.display()
        );
        let beside = self.antctl.with_extension("new");
        fs::write(&beside, text).unwrap();
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(beside, &self.antctl).unwrap();
    }

    fn thaw(&self) {
        let path = self.antctl.with_file_name(PIPE);
        // Opening for both directions does not block. Calls that wait go on when the pipe is closed, and later calls
        // find none.
        let pipe = fs::File::options().read(true).write(true).open(&path);
        fs::remove_file(&path).unwrap();
        drop(pipe.unwrap());
        let beside = self.antctl.with_extension("new");
        fs::hard_link(self.antctl.with_file_name(REAL), &beside).unwrap();
        fs::rename(beside, &self.antctl).unwrap();
    }

    fn take_down(&self) {
        fs::rename(&self.antctl, self.antctl.with_file_name(HIDDEN)).unwrap();
    }

    fn bring_up(&self) {
        fs::rename(self.antctl.with_file_name(HIDDEN), &self.antctl).unwrap();
    }

    /// antctl is there, but not the systemctl that it calls.
    fn lost(&self, _entirely: bool) -> Call {
        TestBackend::wnm(self).env("PATH", NOWHERE)
    }
}
