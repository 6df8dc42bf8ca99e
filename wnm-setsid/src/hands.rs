//! Who lays hands on directories, files and processes: wnm itself, or sudo for it.

mod direct;
mod sudo;

use std::fs::File;
use std::path::Path;

use async_trait::async_trait;
use nix::sys::signal::Signal;
use tokio::process::Child;
use wnm_core::manager::{ManagerContext, ManagerError, ManagerKind, Mode};

pub(crate) use direct::Direct;
pub(crate) use sudo::Sudo;

use crate::detach::Order;
use crate::table::Table;
use crate::watch::Held;

/// The few things that need the rights of the account that nodes run under.
#[async_trait]
pub(crate) trait Hands: Send + Sync {
    /// Whether nodes run under another account whose processes may be hidden from the caller.
    fn looks_at_others(&self) -> bool;

    /// Makes a directory that nodes write to, and its parents. One that is there gets its owner and mode.
    async fn directory(&self, path: &Path) -> Result<(), ManagerError>;

    /// Copies a program so that the copy appears whole.
    async fn install(&self, from: &Path, to: &Path) -> Result<(), ManagerError>;

    /// Gives a file a second name, from which it can be had back.
    async fn keep(&self, file: &Path, second: &Path) -> Result<(), ManagerError>;

    /// Renames a file over another.
    async fn rename(&self, from: &Path, to: &Path) -> Result<(), ManagerError>;

    /// Deletes a file; one that is gone is a success.
    async fn delete_file(&self, path: &Path) -> Result<(), ManagerError>;

    /// Deletes `base/name` with everything in it, under the rules of [`wnm_core::files::delete_directory`].
    async fn delete_directory(&self, base: &Path, name: &str) -> Result<(), ManagerError>;

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
