//! What a run stands on: nodes of one manager, and everything that those need.

pub mod containers;
pub mod jobs;
pub mod plain;
pub mod services;
pub mod units;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use wnm_tests::call::{Background, Call, Outcome};
use wnm_tests::colony::Colony;
use wnm_tests::database::{Database, NodeRow};
use wnm_tests::nodes;

use crate::disk;
use crate::silence::Supervisor;

/// Nodes that a colony has room for: more than any run makes.
const ROOM: u16 = 20;

/// A manager, with a place for a colony under it.
pub trait Ground {
    /// Makes the colony, with `program` for its nodes.
    fn init(&self, program: &Path, options: &[String]);

    /// A call of the program.
    fn wnm(&self) -> Call;

    /// The colony's database.
    fn database(&self) -> Database;

    /// The node program of this version.
    fn program(&self, version: &str) -> PathBuf;

    /// The directory with everything of the colony.
    fn dir(&self) -> &Path;

    /// The node storage.
    fn storage(&self) -> PathBuf;

    /// The nodes of these that have a process, by number.
    fn running(&self, rows: &[NodeRow]) -> BTreeSet<u32>;

    /// Kills the process of a node, if it has one. Its supervisor may bring it back at once.
    fn kill_node(&self, row: &NodeRow);

    /// Waits until the supervisor has brought back what fell over and is about to run again: to the program that
    /// counts as running.
    fn wait_for_restarts(&self) {}

    /// Fails the test unless what the manager has is what is on record. Nothing is under way.
    fn check_agreement(&self);

    /// Kills the program at the moment.
    fn kill_program(&self, operation: Background) -> Outcome {
        operation.end_with(Signal::SIGKILL)
    }

    /// Where a directory of a node is seen from here.
    fn seen_at(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }

    /// What the node's last process has printed, and perhaps those before it.
    fn output(&self, row: &NodeRow) -> String {
        let root = self.seen_at(&row.root_dir);
        let logs = root.with_file_name("logs").join(root.file_name().unwrap());
        std::fs::read_to_string(logs.join("antnode.out")).unwrap_or_default()
    }

    /// Makes a directory one that nobody can write in.
    fn make_read_only(&self, dir: &Path) {
        disk::make_read_only(dir);
    }

    /// Brings back what [`Ground::make_read_only`] took.
    fn make_writable(&self, dir: &Path) {
        disk::make_writable(dir);
    }

    /// The network of the nodes, where it is not that of this thread.
    fn network(&self) -> Option<File> {
        None
    }

    /// What a node says of itself on its metrics port.
    fn page(&self, port: u16) -> io::Result<String> {
        nodes::page(port, "/metadata")
    }

    /// Cuts the power while `operation` is under way, and returns when what comes up with the machine is up again.
    fn cut_power(&self, operation: Background) -> Outcome;

    /// Who runs the nodes, where that is a program of its own.
    fn supervisor(&self) -> Option<&dyn Supervisor> {
        None
    }
}

/// The nodes whose processes are seen in this system.
fn running_in(colony: &Colony, rows: &[NodeRow]) -> BTreeSet<u32> {
    let processes = colony.processes();
    let runs = |row: &&NodeRow| {
        let mut roots = processes.iter().map(|process| process.root_dir());
        roots.any(|root| root == Some(&row.root_dir))
    };
    rows.iter().filter(runs).map(|row| row.id).collect()
}

/// Kills a process that is seen in this system, and returns once it is gone.
fn kill_in(colony: &Colony, row: &NodeRow) {
    for process in colony.processes() {
        if process.root_dir() == Some(&row.root_dir) {
            process.kill();
        }
    }
}
