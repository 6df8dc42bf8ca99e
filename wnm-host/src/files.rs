//! Files and directories of nodes, handled with the rights that they need: the caller's own, root's for the
//! account that nodes run under, or `sudo -n` for a caller who is not root.

mod direct;
mod sudo;
mod whole;

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

pub use direct::Direct;
pub use sudo::Sudo;
pub use whole::{
    DeleteError, beside, delete_directory, install_program, is_deletable, same_content, unfinished,
    write_whole,
};

use super::blocking::blocking;
use wnm_core::kind::{ManagerKind, Mode};
use wnm_core::manager::{ManagerContext, ManagerError};

/// The fault points of this crate, in the order of the acts.
pub const FAULT_POINTS: &[&str] = &["files.install.copied"];

/// What a manager does to files. "The account" is the one that nodes run under.
#[async_trait]
pub trait Files: Send + Sync {
    /// Makes a directory that nodes write to, and its parents. One that is there gets its owner and mode.
    async fn directory(&self, path: &Path) -> Result<(), ManagerError>;

    /// Copies a program so that the copy appears whole and belongs to the account.
    async fn install(&self, from: &Path, to: &Path) -> Result<(), ManagerError>;

    /// Gives a program a second name beside the first, from which it can be had back.
    async fn keep(&self, file: &Path, second: &Path) -> Result<(), ManagerError>;

    /// Renames a file over another.
    async fn rename(&self, from: &Path, to: &Path) -> Result<(), ManagerError>;

    /// Writes a file that everyone may read, whole, in a directory that is made if need be. It is a service's
    /// description or the like, so it belongs to the caller or to root and never to the account.
    async fn write(&self, path: &Path, content: &str) -> Result<(), ManagerError>;

    /// Deletes files; those that are gone are a success.
    async fn delete_files(&self, paths: &[&Path]) -> Result<(), ManagerError>;

    /// Deletes `base/name` with everything in it, under the rules of [`delete_directory`].
    async fn delete_directory(&self, base: &Path, name: &str) -> Result<(), ManagerError>;

    /// Makes a directory that belongs to one node, or completes one that a crash left half made. What is there
    /// and is no directory, or only a link to one, is refused: it is not wnm's.
    async fn own_directory(&self, path: &Path) -> Result<(), ManagerError> {
        match std::fs::symlink_metadata(path) {
            Ok(entry) if !entry.is_dir() => Err(ManagerError::Rejected {
                what: format!("making {}", path.display()),
                words: "something that is not a directory is there; move it away".to_owned(),
            }),
            Ok(_) => self.directory(path).await,
            Err(error) if error.kind() == ErrorKind::NotFound => self.directory(path).await,
            Err(source) => Err(ManagerError::io(
                format!("making {}", path.display()),
                source,
            )),
        }
    }

    /// Copies a program unless the same is there: one that runs is not pulled away from under its process
    /// without need.
    async fn install_unless_same(&self, from: &Path, to: &Path) -> Result<(), ManagerError> {
        let (source, copy) = (from.to_owned(), to.to_owned());
        // A copy that cannot be read is put there anew.
        let is_there = blocking(move || Ok(same_content(&source, &copy).unwrap_or(false))).await?;
        if is_there {
            return Ok(());
        }
        self.install(from, to).await
    }
}

/// The way that a manager of this kind needs, given whose rights the caller has.
pub fn of(kind: &ManagerKind, context: &ManagerContext) -> Arc<dyn Files> {
    match kind.mode() {
        Mode::User | Mode::Zen => Arc::new(Direct::for_caller()),
        Mode::Sudo if nix::unistd::geteuid().is_root() => {
            Arc::new(Direct::for_account(&context.owner))
        }
        Mode::Sudo => Arc::new(Sudo::new(&context.owner, Arc::clone(&context.runner))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_link_in_the_place_of_a_nodes_directory_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let files = Direct::for_caller();
        let own = dir.path().join("nodes/antnode0001");
        files.own_directory(&own).await.unwrap();
        files.own_directory(&own).await.unwrap();
        let link = dir.path().join("nodes/antnode0002");
        std::os::unix::fs::symlink(&own, &link).unwrap();
        let error = files.own_directory(&link).await.unwrap_err().to_string();
        assert!(error.contains("not a directory"), "{error}");
    }

    #[tokio::test]
    async fn the_same_program_is_not_copied_again() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("new"), dir.path().join("antnode"));
        let number = || std::fs::metadata(&to).unwrap().ino();
        let files = Direct::for_caller();
        std::fs::write(&from, b"one").unwrap();
        files.install_unless_same(&from, &to).await.unwrap();
        let first = number();
        files.install_unless_same(&from, &to).await.unwrap();
        assert_eq!(number(), first);
        std::fs::write(&from, b"two").unwrap();
        files.install_unless_same(&from, &to).await.unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), b"two");
    }

    #[tokio::test]
    async fn a_kept_program_survives_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let files = Direct::for_caller();
        std::fs::write(path("antnode"), b"old").unwrap();
        std::fs::write(path("source"), b"new").unwrap();
        files.keep(&path("antnode"), &path("kept")).await.unwrap();
        files
            .install(&path("source"), &path("antnode"))
            .await
            .unwrap();
        assert_eq!(std::fs::read(path("kept")).unwrap(), b"old");
        files.rename(&path("kept"), &path("antnode")).await.unwrap();
        assert_eq!(std::fs::read(path("antnode")).unwrap(), b"old");
    }
}
