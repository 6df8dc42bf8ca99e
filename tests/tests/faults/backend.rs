//! What can go wrong with each process manager, in addition to [`TestBackend`].

mod antctl;
mod launchd;
mod s6overlay;
mod setsid;
mod systemd;

use std::fs::File;
use std::path::Path;

use nix::sys::signal::Signal;
use wnm_tests::backend::TestBackend;
use wnm_tests::call::{Background, Outcome};
use wnm_tests::database::NodeRow;

use crate::disk;
use crate::silence::Supervisor;

/// A manager that the faults of this suite can hit.
pub trait FaultBackend: TestBackend {
    /// Kills the program now.
    fn kill_program(&self, operation: Background) -> Outcome {
        operation.end_with(Signal::SIGKILL)
    }

    /// What the node's last process has printed, and perhaps those before it.
    fn output(&self, row: &NodeRow) -> String {
        let root = self.path_from_here(&row.root_dir);
        let logs = root.with_file_name("logs").join(root.file_name().unwrap());
        std::fs::read_to_string(logs.join("antnode.out")).unwrap_or_default()
    }

    /// Makes a directory read-only for everybody.
    fn make_read_only(&self, dir: &Path) {
        disk::make_read_only(dir);
    }

    /// Reverts [`FaultBackend::make_read_only`].
    fn make_writable(&self, dir: &Path) {
        disk::make_writable(dir);
    }

    /// The network of the nodes, where it is not that of this thread.
    fn network(&self) -> Option<File> {
        None
    }

    /// Cuts the power while `operation` is under way, and returns when what boots with the machine is up again.
    fn cut_power(&self, operation: Background) -> Outcome;

    /// What runs the nodes, where that is a program of its own.
    fn supervisor(&self) -> Option<&dyn Supervisor> {
        None
    }
}
