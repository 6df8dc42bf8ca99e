//! The process managers as the crash and fault suites drive them: one trait, implemented once for each manager.

#[cfg(target_os = "linux")]
mod antctl;
#[cfg(not(target_os = "macos"))]
mod launchd;
#[cfg(target_os = "linux")]
mod s6overlay;
mod setsid;
mod settle;
#[cfg(target_os = "linux")]
mod systemd;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

#[cfg(target_os = "linux")]
pub use s6overlay::S6Fixture;
pub use settle::{kept_cap, run_until_running, run_when_unlocked, settle, wait_for_pages};

use crate::call::Call;
use crate::database::{Database, NodeRow};
use crate::processes::{self, Process};
use crate::{colony, nodes};

/// A process manager with room for one colony.
pub trait TestBackend {
    /// Creates the colony. Its nodes run `program`.
    fn init(&self, program: &Path, options: &[&str]);

    /// A call of `wnm` on the colony.
    fn wnm(&self) -> Call;

    /// The directory that holds everything of the colony.
    fn dir(&self) -> &Path;

    /// The colony's database.
    fn database(&self) -> Database {
        Database::at(&self.dir().join(colony::DATABASE))
    }

    /// The node storage.
    fn storage(&self) -> PathBuf {
        self.dir().join(colony::STORAGE)
    }

    /// The node program of this version.
    fn program(&self, version: &str) -> PathBuf {
        nodes::simulated(&self.dir().join(colony::PROGRAMS), version)
    }

    /// The process ids of a node. Normally there is at most one.
    fn pids(&self, row: &NodeRow) -> Vec<i32> {
        let own = processes_of(self.dir(), row);
        own.iter().map(|process| process.pid).collect()
    }

    /// The ids of those nodes that have a process.
    fn running(&self, rows: &[NodeRow]) -> BTreeSet<u32> {
        let running = rows.iter().filter(|row| !self.pids(row).is_empty());
        running.map(|row| row.id).collect()
    }

    /// Whether a new node may get the number of a removed one. Otherwise numbers begin again only after a teardown.
    fn reuses_numbers(&self) -> bool {
        true
    }

    /// Kills the process of a node, if it has one. The supervisor may restart it at once.
    fn kill_node(&self, row: &NodeRow) {
        for process in processes_of(self.dir(), row) {
            process.kill();
        }
    }

    /// Waits until the supervisor has restarted every node that it is about to restart.
    fn wait_for_restarts(&self) {}

    /// Fails the test unless the manager, the disk and the database agree. No transition may be under way.
    fn check_agreement(&self);

    /// Fails the test unless every node is gone, with all that belonged to it.
    fn assert_nothing_left(&self);

    /// The path from which this process reaches a path that the nodes see.
    fn path_from_here(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }

    /// The `/metadata` page of the node with this metrics port.
    fn page(&self, port: u16) -> io::Result<String> {
        nodes::page(port, "/metadata")
    }
}

fn processes_of(dir: &Path, row: &NodeRow) -> Vec<Process> {
    let mut processes = processes::below(dir);
    processes.retain(|process| process.root_dir() == Some(&row.root_dir));
    processes
}
