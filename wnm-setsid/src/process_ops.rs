//! Process operations: performed by wnm itself or through sudo. For files see [`wnm_host::files`].

mod direct;
mod sudo;

use std::fs::File;
use std::path::Path;

use async_trait::async_trait;
use nix::sys::signal::Signal;
use tokio::process::Child;
use wnm_core::kind::{ManagerKind, Mode};
use wnm_core::manager::{ManagerContext, ManagerError};

pub(crate) use direct::Direct;
pub(crate) use sudo::Sudo;

use crate::detach::LaunchSpec;
use crate::handle::ProcessHandle;
use crate::table::Table;

/// Process operations with the rights of the account that nodes run under.
#[async_trait]
pub(crate) trait ProcessOps: Send + Sync {
    /// Whether nodes run under another account, whose processes the system may hide from the caller.
    fn reads_other_accounts(&self) -> bool;

    /// Opens the file for a node's stdout and stderr, for appending and reading.
    async fn open_output(&self, path: &Path) -> Result<File, ManagerError>;

    /// Starts a process in its own session. Returns the child handle if the process is our child.
    async fn spawn(&self, spec: &LaunchSpec, output: &File) -> Result<Option<Child>, ManagerError>;

    /// Sends a signal to all these processes. Exited processes are not an error.
    async fn signal(
        &self,
        table: &Table,
        handles: &[ProcessHandle],
        signal: Signal,
    ) -> Result<(), ManagerError>;
}

/// Chooses the operations for this manager kind and the caller's rights.
pub(crate) fn for_kind(kind: &ManagerKind, context: &ManagerContext) -> Box<dyn ProcessOps> {
    match kind.mode() {
        Mode::User | Mode::Zen => Box::new(Direct::for_caller()),
        Mode::Sudo if nix::unistd::geteuid().is_root() => {
            Box::new(Direct::for_account(&context.owner))
        }
        Mode::Sudo => Box::new(Sudo::new(&context.owner, context.runner.clone())),
    }
}
