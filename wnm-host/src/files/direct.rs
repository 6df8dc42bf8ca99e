use std::io;
use std::os::unix::fs::{DirBuilderExt, lchown};
use std::path::{Path, PathBuf};

use super::Files;
use crate::Account;
use crate::blocking;
use crate::files::{delete_directory, install_program, write_whole};
use async_trait::async_trait;
use wnm_core::manager::ManagerError;

/// Descriptions of services are no secret: the tools of supervisors read them as any user.
const READABLE: u32 = 0o644;

/// Account and group.
type Numbers = (u32, u32);

/// Everything done by this process: as the caller for the caller, or as root for another account.
#[derive(Debug, Clone)]
pub struct Direct {
    owner: Owner,
}

/// Whose the files become.
#[derive(Debug, Clone)]
enum Owner {
    Caller,
    Named(String),
    Numbered { uid: u32, gid: u32 },
}

impl Direct {
    /// Nodes run under the caller's account.
    pub fn for_caller() -> Self {
        Self {
            owner: Owner::Caller,
        }
    }

    /// Nodes run under this one. The caller is root.
    pub fn for_account(name: &str) -> Self {
        Self {
            owner: Owner::Named(name.to_owned()),
        }
    }

    /// Nodes run under the account of these numbers, which need not have a name here. The caller is root.
    pub fn for_numbers(uid: u32, gid: u32) -> Self {
        Self {
            owner: Owner::Numbered { uid, gid },
        }
    }

    /// Runs work on files of the account on a thread of its own.
    async fn files(
        &self,
        what: String,
        work: impl FnOnce(Option<Numbers>) -> io::Result<()> + Send + 'static,
    ) -> Result<(), ManagerError> {
        let account = match &self.owner {
            Owner::Caller => None,
            Owner::Named(name) => {
                let account = Account::named(name)?;
                Some((account.uid, account.gid))
            }
            Owner::Numbered { uid, gid } => Some((*uid, *gid)),
        };
        blocking(move || work(account).map_err(|source| ManagerError::io(what, source))).await
    }
}

#[async_trait]
impl Files for Direct {
    async fn directory(&self, path: &Path) -> Result<(), ManagerError> {
        let path = path.to_owned();
        self.files(format!("making {}", path.display()), move |account| {
            make_directory(&path)?;
            own(&path, account)
        })
        .await
    }

    async fn install(&self, from: &Path, to: &Path) -> Result<(), ManagerError> {
        let (from, to) = (from.to_owned(), to.to_owned());
        let what = format!("copying {} to {}", from.display(), to.display());
        self.files(what, move |account| {
            install_program(&from, &to)?;
            own(&to, account)
        })
        .await
    }

    async fn keep(&self, file: &Path, second: &Path) -> Result<(), ManagerError> {
        let (file, second) = (file.to_owned(), second.to_owned());
        let what = format!("keeping {} as {}", file.display(), second.display());
        self.files(what, move |account| {
            if std::fs::hard_link(&file, &second).is_ok() {
                return Ok(());
            }
            // Not every file system has second names.
            install_program(&file, &second)?;
            own(&second, account)
        })
        .await
    }

    async fn rename(&self, from: &Path, to: &Path) -> Result<(), ManagerError> {
        let (from, to) = (from.to_owned(), to.to_owned());
        let what = format!("renaming {} to {}", from.display(), to.display());
        self.files(what, move |_| std::fs::rename(from, to)).await
    }

    async fn write(&self, path: &Path, content: &str) -> Result<(), ManagerError> {
        let (path, content) = (path.to_owned(), content.to_owned());
        let what = format!("writing {}", path.display());
        blocking(move || {
            let written = path.parent().map_or(Ok(()), make_directory);
            let written = written.and_then(|()| write_whole(&path, content.as_bytes(), READABLE));
            written.map_err(|source| ManagerError::io(what, source))
        })
        .await
    }

    async fn delete_files(&self, paths: &[&Path]) -> Result<(), ManagerError> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
        blocking(move || {
            for path in paths {
                match std::fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        let what = format!("deleting {}", path.display());
                        return Err(ManagerError::io(what, error));
                    }
                    _ => {}
                }
            }
            Ok(())
        })
        .await
    }

    async fn delete_directory(&self, base: &Path, name: &str) -> Result<(), ManagerError> {
        let (base, name) = (base.to_owned(), name.to_owned());
        blocking(move || Ok(delete_directory(&base, &name)?)).await
    }
}

fn make_directory(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
}

/// Hands a path to the account, and never what a link there points to.
fn own(path: &Path, account: Option<Numbers>) -> io::Result<()> {
    match account {
        Some((uid, gid)) => lchown(path, Some(uid), Some(gid)),
        None => Ok(()),
    }
}
