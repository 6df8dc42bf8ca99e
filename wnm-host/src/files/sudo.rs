use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::Files;
use crate::Account;
use crate::blocking;
use crate::files::{is_deletable, unfinished};
use wnm_core::command::{CommandRunner, CommandSpec};
use wnm_core::manager::ManagerError;

/// Commands that touch a file or two, on a machine that may be loaded.
const SHORT: Duration = Duration::from_secs(30);

/// Copying a program or deleting a node's records on a slow disk.
const LONG: Duration = Duration::from_secs(300);

/// Most files named in one command, far below what the kernel lets an argument vector hold.
const FILES_AT_ONCE: usize = 200;

/// Has a copy or a rename replace what is at its target, and never go into a directory that a node's account
/// may have put there. An option of the GNU programs; with others it is looked for such a directory first.
#[cfg(target_os = "linux")]
const OVER_NO_DIRECTORY: [&str; 1] = ["-T"];
#[cfg(not(target_os = "linux"))]
const OVER_NO_DIRECTORY: [&str; 0] = [];

/// Everything done through `sudo -n` by a caller who is not root. No shell: every path is one argument of the
/// command.
pub struct Sudo {
    owner: String,
    runner: Arc<dyn CommandRunner>,
}

impl Sudo {
    /// For nodes that run under `owner`.
    pub fn new(owner: &str, runner: Arc<dyn CommandRunner>) -> Self {
        Self {
            owner: owner.to_owned(),
            runner,
        }
    }

    /// Runs a command as root, for at most `deadline`.
    pub async fn run<A: AsRef<OsStr>>(
        &self,
        deadline: Duration,
        words: impl IntoIterator<Item = A>,
    ) -> Result<(), ManagerError> {
        let spec = CommandSpec::new("sudo", deadline).arg("-n").args(words);
        self.runner.run(&spec).await?.success(&spec)?;
        Ok(())
    }

    /// Words of an `install` that hands its work to the account of the nodes.
    fn owner_words(&self, mode: &str) -> Result<Vec<OsString>, ManagerError> {
        let account = Account::named(&self.owner)?;
        Ok(install_words(
            mode,
            &account.uid.to_string(),
            &account.gid.to_string(),
        ))
    }

    /// install(1) writes in place, so it writes beside and a rename puts the file there whole.
    async fn put(
        &self,
        mut words: Vec<OsString>,
        from: &Path,
        to: &Path,
    ) -> Result<(), ManagerError> {
        let beside = unfinished(to);
        if OVER_NO_DIRECTORY.is_empty() {
            must_be_replaceable(&beside)?;
        }
        words.extend(OVER_NO_DIRECTORY.map(OsString::from));
        words.extend(["--".into(), from.into(), beside.clone().into()]);
        self.run(LONG, words).await?;
        let written = beside.clone();
        blocking(move || sync(&written)).await?;
        self.rename(&beside, to).await
    }
}

/// A name that is given to a file whose content is on no disk yet leads to an empty file after a power cut. What this
/// process does not get to see it cannot see to.
fn sync(path: &Path) -> Result<(), ManagerError> {
    let unwritten = |source| ManagerError::io(format!("writing {}", path.display()), source);
    match File::open(path) {
        Ok(file) => file.sync_all().map_err(unwritten),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::PermissionDenied | ErrorKind::NotFound
            ) =>
        {
            Ok(())
        }
        Err(error) => Err(unwritten(error)),
    }
}

#[async_trait]
impl Files for Sudo {
    async fn directory(&self, path: &Path) -> Result<(), ManagerError> {
        let mut words = self.owner_words("0755")?;
        words.extend(["-d".into(), "--".into(), path.into()]);
        self.run(SHORT, words).await
    }

    async fn install(&self, from: &Path, to: &Path) -> Result<(), ManagerError> {
        self.put(self.owner_words("0755")?, from, to).await
    }

    async fn keep(&self, file: &Path, second: &Path) -> Result<(), ManagerError> {
        let words = [OsStr::new("ln"), "-f".as_ref(), "--".as_ref()];
        let names = [file.as_ref(), second.as_ref()];
        self.run(SHORT, words.into_iter().chain(names)).await
    }

    async fn rename(&self, from: &Path, to: &Path) -> Result<(), ManagerError> {
        if OVER_NO_DIRECTORY.is_empty() {
            must_be_replaceable(to)?;
        }
        let mut words: Vec<OsString> = ["mv", "-f"].map(OsString::from).into();
        words.extend(OVER_NO_DIRECTORY.map(OsString::from));
        words.extend(["--".into(), from.into(), to.into()]);
        self.run(SHORT, words).await
    }

    async fn write(&self, path: &Path, content: &str) -> Result<(), ManagerError> {
        let unwritten = |source| ManagerError::io(format!("writing {}", path.display()), source);
        let mut file = tempfile::NamedTempFile::new().map_err(unwritten)?;
        file.write_all(content.as_bytes()).map_err(unwritten)?;
        file.flush().map_err(unwritten)?;
        // Root and its group by number: the group has another name on macOS.
        self.put(install_words("0644", "0", "0"), file.path(), path)
            .await
    }

    async fn delete_files(&self, paths: &[&Path]) -> Result<(), ManagerError> {
        for some in paths.chunks(FILES_AT_ONCE) {
            let words = [OsStr::new("rm"), "-f".as_ref(), "--".as_ref()];
            self.run(
                SHORT,
                words
                    .into_iter()
                    .chain(some.iter().map(|path| path.as_os_str())),
            )
            .await?;
        }
        Ok(())
    }

    async fn delete_directory(&self, base: &Path, name: &str) -> Result<(), ManagerError> {
        if !is_deletable(base, name)? {
            return Ok(());
        }
        let path = base.join(name);
        let words = [OsStr::new("rm"), "-rf".as_ref(), "--".as_ref()];
        self.run(LONG, words.into_iter().chain([path.as_ref()]))
            .await
    }
}

/// Refuses what is no plain file: mv(1) and install(1) of BSD go into a directory, and through a link to one.
/// Whoever owns the place can still put one there in between, and then gets a file that is no secret.
fn must_be_replaceable(to: &Path) -> Result<(), ManagerError> {
    match std::fs::symlink_metadata(to) {
        Ok(entry) if !entry.is_file() => Err(ManagerError::Rejected {
            what: format!("writing {}", to.display()),
            words: "something that is no file is there; move it away".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Words of an `install` that gives what it makes to an account and a group, by number.
fn install_words(mode: &str, uid: &str, gid: &str) -> Vec<OsString> {
    ["install", "-m", mode, "-o", uid, "-g", gid]
        .map(OsString::from)
        .into()
}

#[cfg(test)]
mod tests;
