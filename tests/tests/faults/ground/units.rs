//! Units of a user's systemd, in a system of its own.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use wnm_tests::call::{Background, Call, Outcome};
use wnm_tests::database::{Database, NodeRow};
use wnm_tests::systemd::{As, Inside};
use wnm_tests::wait::{LONG, until};

use super::Ground;
use crate::fault::Kind;
use crate::silence::{NOWHERE, Supervisor};

/// Those that reach into a system of its own: it has its ports and its disk for itself, and ends with its power. The
/// silence of systemd has runs of its own.
pub const KINDS: [Kind; 5] = [
    Kind::Killed,
    Kind::ClockMoved,
    Kind::NodesDie,
    Kind::NameLost,
    Kind::TwoAtOnce,
];

/// The unit that Ann's systemd is to the machine's.
const MANAGER: &str = "user@1500.service";

/// A colony of Ann's units.
pub struct Units(Inside);

impl Units {
    /// Boots its system. `None` after saying that the test is skipped.
    pub fn up() -> Option<Self> {
        Inside::up(As::Ann).map(Self)
    }

    /// Sends a signal to a process, as it is numbered inside.
    fn signal(&self, signal: &str, pid: &str) -> Outcome {
        let kill = self
            .0
            .system
            .call(As::Root, Path::new("/bin/kill"), [signal, pid]);
        kill.run()
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

    fn check_agreement(&self) {
        self.0.check_agreement();
    }

    fn kill_program(&self, operation: Background) -> Outcome {
        self.0.system.kill(operation)
    }

    fn seen_at(&self, path: &Path) -> PathBuf {
        self.0.system.path(path)
    }

    fn page(&self, port: u16) -> io::Result<String> {
        self.0.system.page(port, "/metadata")
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

    /// And its nodes with it.
    fn leave(&self) {
        let _killed = self.signal("-KILL", &self.manager()).succeeded();
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
