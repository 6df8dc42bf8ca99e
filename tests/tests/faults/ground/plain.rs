//! Plain detached processes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wnm_tests::agreement;
use wnm_tests::call::{Background, Call, Outcome};
use wnm_tests::colony::{Colony, EAGER};
use wnm_tests::database::{Database, NodeRow};

use super::{Ground, kill_in, running_in};
use crate::power::{self, PowerByCopy};

/// A colony of processes that nobody looks after but wnm: there is no supervisor to fall silent.
pub struct Plain(Colony);

impl Plain {
    /// Below `place`.
    pub fn below(place: &Path) -> Option<Self> {
        Some(Self(Colony::below(place, super::ROOM)))
    }
}

impl Ground for Plain {
    fn init(&self, program: &Path, options: &[String]) {
        let options = EAGER.into_iter().chain(options.iter().map(String::as_str));
        let _made = self.0.init("setsid+user", program, options);
    }

    fn wnm(&self) -> Call {
        self.0.wnm([""; 0])
    }

    fn database(&self) -> Database {
        self.0.database()
    }

    fn program(&self, version: &str) -> PathBuf {
        self.0.program(version)
    }

    fn dir(&self) -> &Path {
        self.0.dir()
    }

    fn storage(&self) -> PathBuf {
        self.0.storage()
    }

    fn running(&self, rows: &[NodeRow]) -> BTreeSet<u32> {
        running_in(&self.0, rows)
    }

    fn kill_node(&self, row: &NodeRow) {
        kill_in(&self.0, row);
    }

    fn check_agreement(&self) {
        agreement::check(&self.0);
    }

    fn cut_power(&self, operation: Background) -> Outcome {
        power::cut(self.dir(), self, operation)
    }
}

impl PowerByCopy for Plain {
    fn kept(&self) -> &[&str] {
        &["nodes"]
    }
}
