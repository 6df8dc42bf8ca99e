//! Who lays hands on processes: wnm itself, or sudo for it. For files see [`wnm_host::files`].

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

use crate::detach::Order;
use crate::table::Table;
use crate::watch::Held;

/// What is done to processes with the rights of the account that nodes run under.
#[async_trait]
pub(crate) trait Hands: Send + Sync {
    /// Whether nodes run under another account whose processes may be hidden from the caller.
    fn looks_at_others(&self) -> bool;

    /// Opens the file that a node's standard streams go to, for appending and reading.
    async fn output(&self, path: &Path) -> Result<File, ManagerError>;

    /// Starts a process in a session of its own. Its child handle, where it is a child of ours.
    async fn spawn(&self, order: &Order, output: &File) -> Result<Option<Child>, ManagerError>;

    /// Sends a signal to all of these. Those that have ended are no failure.
    async fn signal(
        &self,
        table: &Table,
        held: &[Held],
        signal: Signal,
    ) -> Result<(), ManagerError>;
}

/// The hands that a manager of this kind needs, given whose rights the caller has.
pub(crate) fn of(kind: ManagerKind, context: &ManagerContext) -> Box<dyn Hands> {
    match kind.mode() {
        Mode::User | Mode::Zen => Box::new(Direct::for_caller()),
        Mode::Sudo if nix::unistd::geteuid().is_root() => {
            Box::new(Direct::for_account(&context.owner))
        }
        Mode::Sudo => Box::new(Sudo::new(&context.owner, context.runner.clone())),
    }
}
