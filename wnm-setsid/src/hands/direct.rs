use std::fs::File;
use std::io;
use std::os::unix::fs::fchown;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use nix::errno::Errno;
use nix::sys::signal::Signal;
use tokio::process::{Child, Command};
use tokio::time::Instant;
use wnm_core::manager::{Account, ManagerError, blocking};

use super::Hands;
use crate::detach::{Order, name};
use crate::output::open_plain;
use crate::table::Table;
use crate::watch::Held;

/// Longest wait for a program that is held open by a child on its way to its own exec, which takes milliseconds.
const FREE_WITHIN: Duration = Duration::from_secs(5);

/// How often it is tried meanwhile: nothing reports that the last writer is gone.
const TRY_EVERY: Duration = Duration::from_millis(10);

/// Processes started and ended by this one: as the caller for the caller, or as root for another account.
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
}

#[async_trait]
impl Hands for Direct {
    fn looks_at_others(&self) -> bool {
        self.account.is_some()
    }

    async fn output(&self, path: &Path) -> Result<File, ManagerError> {
        let (path, account) = (path.to_owned(), self.account()?);
        blocking(move || {
            let opened = open_plain(&path).and_then(|file| {
                if let Some(account) = account {
                    fchown(&file, Some(account.uid), Some(account.gid))?;
                }
                Ok(file)
            });
            opened.map_err(|source| ManagerError::io(format!("opening {}", path.display()), source))
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
            command.uid(account.uid).gid(account.gid);
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

/// What a login would set; root's own values would send a program into root's home.
fn account_environment(account: &Account) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
    vec![
        ("HOME".into(), account.home.clone().into()),
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
    use wnm_core::files::install_program;

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
