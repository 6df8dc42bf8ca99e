use std::fs::File;
use std::io;
use std::os::unix::fs::{DirBuilderExt, fchown, lchown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use nix::errno::Errno;
use nix::sys::signal::Signal;
use tokio::process::{Child, Command};
use tokio::time::Instant;
use wnm_core::files::{delete_directory, install_program};
use wnm_core::manager::ManagerError;

use super::Hands;
use crate::account::Account;
use crate::blocking::blocking;
use crate::detach::{Order, name};
use crate::output::open_plain;
use crate::rejection::deletion;
use crate::table::Table;
use crate::watch::Held;

/// Longest wait for a program that is held open by a child on its way to its own exec, which takes milliseconds.
const FREE_WITHIN: Duration = Duration::from_secs(5);

/// How often it is tried meanwhile: nothing reports that the last writer is gone.
const TRY_EVERY: Duration = Duration::from_millis(10);

/// Everything done by this process: as the caller for the caller, or as root for another account.
#[derive(Debug, Clone)]
pub(crate) struct Direct {
    account: Option<String>,
}

impl Direct {
    /// Nodes run under the caller's account.
    pub fn for_caller() -> Self {
        Self { account: None }
    }

    /// Nodes run under this one. The caller is root.
    pub fn for_account(name: &str) -> Self {
        Self {
            account: Some(name.to_owned()),
        }
    }

    fn account(&self) -> Result<Option<Account>, ManagerError> {
        self.account.as_deref().map(Account::named).transpose()
    }

    /// Runs work on files of the account on a thread of its own.
    async fn files<T: Send + 'static>(
        &self,
        what: String,
        work: impl FnOnce(Option<Account>) -> io::Result<T> + Send + 'static,
    ) -> Result<T, ManagerError> {
        let account = self.account()?;
        blocking(move || work(account).map_err(|source| ManagerError::io(what, source))).await
    }
}

#[async_trait]
impl Hands for Direct {
    fn looks_at_others(&self) -> bool {
        self.account.is_some()
    }

    async fn directory(&self, path: &Path) -> Result<(), ManagerError> {
        let path = path.to_owned();
        self.files(format!("making {}", path.display()), move |account| {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(&path)?;
            own(&path, account.as_ref())
        })
        .await
    }

    async fn install(&self, from: &Path, to: &Path) -> Result<(), ManagerError> {
        let (from, to) = (from.to_owned(), to.to_owned());
        let what = format!("copying {} to {}", from.display(), to.display());
        self.files(what, move |account| {
            install_program(&from, &to)?;
            own(&to, account.as_ref())
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
            own(&second, account.as_ref())
        })
        .await
    }

    async fn rename(&self, from: &Path, to: &Path) -> Result<(), ManagerError> {
        let (from, to) = (from.to_owned(), to.to_owned());
        let what = format!("renaming {} to {}", from.display(), to.display());
        self.files(what, move |_| std::fs::rename(from, to)).await
    }

    async fn delete_file(&self, path: &Path) -> Result<(), ManagerError> {
        let path = path.to_owned();
        self.files(
            format!("deleting {}", path.display()),
            move |_| match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        )
        .await
    }

    async fn delete_directory(&self, base: &Path, name: &str) -> Result<(), ManagerError> {
        let (base, name) = (base.to_owned(), name.to_owned());
        blocking(move || delete_directory(&base, &name).map_err(deletion)).await
    }

    async fn output(&self, path: &Path) -> Result<File, ManagerError> {
        let path = path.to_owned();
        self.files(format!("opening {}", path.display()), move |account| {
            let file = open_plain(&path)?;
            if let Some(account) = account {
                fchown(
                    &file,
                    Some(account.uid.as_raw()),
                    Some(account.gid.as_raw()),
                )?;
            }
            Ok(file)
        })
        .await
    }

    async fn spawn(&self, order: &Order, output: &File) -> Result<Option<Child>, ManagerError> {
        let mut order = order.clone();
        let account = self.account()?;
        if let Some(account) = &account {
            let mut env = account_environment(account);
            env.append(&mut order.env);
            order.env = env;
        }
        let program = name(&order.program);
        let io_error = |source| ManagerError::io(format!("starting {program}"), source);
        let mut command = order.command(output).map_err(io_error)?;
        if let Some(account) = &account {
            // With a user given, root's supplementary groups are dropped by the standard library.
            command.uid(account.uid.as_raw()).gid(account.gid.as_raw());
        }
        match when_free(&mut command).await {
            Ok(child) => Ok(Some(child)),
            Err(error) if is_the_programs_fault(&error) => Err(ManagerError::Rejected {
                what: format!("starting {program}"),
                words: error.to_string(),
            }),
            Err(error) => Err(io_error(error)),
        }
    }

    async fn signal(
        &self,
        table: &Table,
        held: &[Held],
        signal: Signal,
    ) -> Result<(), ManagerError> {
        for process in held {
            process.signal(table, signal).map_err(|source| {
                ManagerError::io(
                    format!("sending {signal} to process {}", process.kin.pid),
                    source,
                )
            })?;
        }
        Ok(())
    }
}

/// Hands a path to the account, and never what a link there points to.
fn own(path: &Path, account: Option<&Account>) -> io::Result<()> {
    match account {
        Some(account) => lchown(path, Some(account.uid.as_raw()), Some(account.gid.as_raw())),
        None => Ok(()),
    }
}

/// What a login would set; root's own values would send a program into root's home.
fn account_environment(account: &Account) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
    let home: PathBuf = account.home.clone();
    vec![
        ("HOME".into(), home.into()),
        ("USER".into(), account.name.clone().into()),
        ("LOGNAME".into(), account.name.clone().into()),
    ]
}

/// Starts a program that may just have been copied. While it was, another node may have been started: between
/// its fork and its exec that child holds every file that is open for writing, and the kernel refuses to run
/// a file that someone could still write to.
async fn when_free(command: &mut Command) -> io::Result<Child> {
    let deadline = Instant::now() + FREE_WITHIN;
    let mut tries = tokio::time::interval(TRY_EVERY);
    loop {
        tries.tick().await;
        match command.spawn() {
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy
                    && Instant::now() < deadline => {}
            result => return result,
        }
    }
}

/// Whether another program in the same place would have started.
fn is_the_programs_fault(error: &io::Error) -> bool {
    let faults = [Errno::ENOEXEC, Errno::EACCES, Errno::ENOENT, Errno::EISDIR];
    error
        .raw_os_error()
        .is_some_and(|number| faults.contains(&Errno::from_raw(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that ends at once, its file held open for writing, and what starts it.
    fn busy_program(dir: &Path) -> (File, Command) {
        let program = dir.join("program");
        install_program(Path::new("/bin/sh"), &program).unwrap();
        let held = File::options().append(true).open(&program).unwrap();
        let mut command = Command::new(&program);
        command.args(["-c", "exit 7"]);
        (held, command)
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_is_held_open_is_started_once_it_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let (held, mut command) = busy_program(dir.path());
        assert_eq!(
            command.spawn().unwrap_err().kind(),
            io::ErrorKind::ExecutableFileBusy
        );
        let (child, ()) = tokio::join!(when_free(&mut command), async {
            tokio::time::sleep(TRY_EVERY * 10).await;
            drop(held);
        });
        let status = child.unwrap().wait().await.unwrap();
        assert_eq!(status.code(), Some(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_stays_held_open_is_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let (_held, mut command) = busy_program(dir.path());
        let begun = Instant::now();
        let error = when_free(&mut command).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ExecutableFileBusy);
        assert!(begun.elapsed() >= FREE_WITHIN);
    }
}
