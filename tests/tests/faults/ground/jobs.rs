//! Jobs of a launchd, which is a fake one with real processes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use wnm_tests::call::{Background, Call, Outcome};
use wnm_tests::colony::Colony;
use wnm_tests::database::{Database, NodeRow};
use wnm_tests::launchd::{Behaviour, Launchd, Seat};

use super::{Ground, kill_in, running_in};
use crate::power::{self, PowerByCopy};
use crate::silence::{NOWHERE, Supervisor};

/// A colony of jobs of somebody who is logged in at the screen.
pub struct Jobs {
    seat: Seat,
    /// What launchd itself has, on another disk than the colony: that one may be full.
    _launchd: TempDir,
}

impl Jobs {
    /// Below `place`.
    pub fn below(place: &Path) -> Option<Self> {
        let colony = Colony::below(place, super::ROOM);
        let dir = tempfile::tempdir().expect("no directory for launchd");
        let mut behaviour = Behaviour::default();
        let files = colony.home().join("Library/LaunchAgents");
        behaviour.takes_at_boot(&format!("gui/{}", nix::unistd::geteuid()), &files);
        let launchd = Launchd::behaving(dir.path(), behaviour);
        Some(Self {
            seat: Seat { launchd, colony },
            _launchd: dir,
        })
    }
}

impl Ground for Jobs {
    fn init(&self, program: &Path, options: &[String]) {
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let _made = self.seat.init(program, &options);
    }

    fn wnm(&self) -> Call {
        self.seat.wnm([""; 0])
    }

    fn database(&self) -> Database {
        self.seat.colony.database()
    }

    fn program(&self, version: &str) -> PathBuf {
        self.seat.colony.program(version)
    }

    fn dir(&self) -> &Path {
        self.seat.colony.dir()
    }

    fn storage(&self) -> PathBuf {
        self.seat.colony.storage()
    }

    fn running(&self, rows: &[NodeRow]) -> BTreeSet<u32> {
        running_in(&self.seat.colony, rows)
    }

    fn kill_node(&self, row: &NodeRow) {
        kill_in(&self.seat.colony, row);
    }

    fn check_agreement(&self) {
        self.seat.check_agreement();
    }

    fn cut_power(&self, operation: Background) -> Outcome {
        power::cut(self.dir(), self, operation)
    }

    fn supervisor(&self) -> Option<&dyn Supervisor> {
        Some(self)
    }
}

/// What launchd has of its own stays where it is: it is stopped in the same moment and writes nothing afterwards.
impl PowerByCopy for Jobs {
    fn kept(&self) -> &[&str] {
        &["nodes", "home"]
    }

    fn stop(&self) {
        self.seat.launchd.freeze();
    }

    fn off(&self) {
        self.seat.launchd.kill();
    }

    fn on(&self) {
        self.seat.launchd.boot();
    }
}

impl Supervisor for Jobs {
    fn freeze(&self) {
        self.seat.launchd.freeze();
    }

    fn thaw(&self) {
        self.seat.launchd.thaw();
    }

    /// Its nodes go on: without a launchd there would be no machine.
    fn leave(&self) {
        self.seat.launchd.hide();
    }

    fn come_back(&self) {
        self.seat.launchd.show();
    }

    fn lost(&self, _entirely: bool) -> Call {
        self.wnm().env("PATH", NOWHERE)
    }
}
