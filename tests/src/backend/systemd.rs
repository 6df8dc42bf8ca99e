//! Units of a real systemd, in a booted machine of its own.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::TestBackend;
use crate::call::Call;
use crate::database::{Database, NodeRow};
use crate::systemd::{As, Machine};
use crate::wait::{LONG, until};

impl TestBackend for Machine {
    fn init(&self, program: &Path, options: &[&str]) {
        let _created = self.init(program, options);
    }

    fn wnm(&self) -> Call {
        self.wnm([""; 0])
    }

    fn dir(&self) -> &Path {
        self.programs.path()
    }

    fn database(&self) -> Database {
        Database::at(&self.database())
    }

    fn storage(&self) -> PathBuf {
        self.storage()
    }

    fn program(&self, version: &str) -> PathBuf {
        self.program(version)
    }

    fn pids(&self, row: &NodeRow) -> Vec<i32> {
        self.main_pid(&row.service).into_iter().collect()
    }

    fn kill_node(&self, row: &NodeRow) {
        if let Some(pid) = self.main_pid(&row.service) {
            // It may have ended.
            drop(self.run_as(As::Root, "/bin/kill", ["-KILL", &pid.to_string()]));
        }
    }

    fn wait_for_restarts(&self) {
        let waiting = ["--state=activating", "--plain", "--no-legend", "antnode*"];
        let words = ["list-units"].into_iter().chain(waiting);
        until(LONG, "every unit that is about to run", || {
            let listed = self.systemctl(words.clone()).succeeded();
            listed.stdout.is_empty()
        });
    }

    fn check_agreement(&self) {
        self.check_agreement();
    }

    fn assert_nothing_left(&self) {
        assert_eq!(self.nodes(), [], "rows");
        assert_eq!(self.node_dirs(), BTreeSet::new(), "directories");
        self.check_agreement();
    }

    fn path_from_here(&self, path: &Path) -> PathBuf {
        self.system.path(path)
    }

    fn page(&self, port: u16) -> io::Result<String> {
        self.system.page(port, "/metadata")
    }
}
