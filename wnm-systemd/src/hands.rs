//! Who lays hands on directories, programs and unit files: wnm itself, or sudo for it.

mod direct;
mod sudo;

use std::path::Path;

use async_trait::async_trait;
use wnm_core::files::DeleteError;
use wnm_core::manager::{ManagerContext, ManagerError, ManagerKind, Mode};

use direct::Direct;
pub(crate) use sudo::Sudo;

/// The few things that need the rights of root or of the account that nodes run under.
#[async_trait]
pub(crate) trait Hands: Send + Sync {
    /// Makes a directory that nodes write to, and its parents. One that is there gets its owner and mode.
    async fn directory(&self, path: &Path) -> Result<(), ManagerError>;

    /// Copies a program so that the copy appears whole and belongs to the account of the nodes.
    async fn install(&self, from: &Path, to: &Path) -> Result<(), ManagerError>;

    /// Renames a file over another.
    async fn rename(&self, from: &Path, to: &Path) -> Result<(), ManagerError>;

    /// Writes a unit file whole, in the directory of units, which is made if need be.
    async fn write_unit(&self, path: &Path, content: &str) -> Result<(), ManagerError>;

    /// Deletes files; those that are gone are a success.
    async fn delete_files(&self, paths: &[&Path]) -> Result<(), ManagerError>;

    /// Deletes `base/name` with everything in it, under the rules of [`wnm_core::files::delete_directory`].
    async fn delete_directory(&self, base: &Path, name: &str) -> Result<(), ManagerError>;
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

/// A deletion that was refused or failed, in the words that managers share.
fn deletion(error: DeleteError) -> ManagerError {
    match error {
        DeleteError::Refused { path, reason } => ManagerError::Rejected {
            what: format!("deleting {}", path.display()),
            words: format!("refused, since {reason}"),
        },
        DeleteError::Io { path, source } => {
            ManagerError::io(format!("deleting {}", path.display()), source)
        }
    }
}
