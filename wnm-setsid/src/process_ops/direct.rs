use std::fs::File;
use std::io;
use std::os::unix::fs::fchown;
use std::path::Path;

use async_trait::async_trait;
use nix::errno::Errno;
use nix::sys::signal::Signal;
use tokio::process::Child;
use wnm_core::manager::ManagerError;
use wnm_host::Account;
use wnm_host::blocking;
use wnm_host::spawn_when_free;

use super::ProcessOps;
use crate::detach::{LaunchSpec, display_name};
use crate::handle::ProcessHandle;
use crate::output_file::open_regular;
use crate::table::Table;

/// Starts and signals processes from this process: as the caller's account, or as root for another one.
#[derive(Debug, Clone)]
pub(crate) struct Direct {
    account: Option<String>,
}

impl Direct {
    /// Nodes run under the caller's account.
    pub fn for_caller() -> Self {
        Self { account: None }
    }

    /// Nodes run under the account `name`. The caller must be root.
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
impl ProcessOps for Direct {
    fn reads_other_accounts(&self) -> bool {
        self.account.is_some()
    }

    async fn open_output(&self, path: &Path) -> Result<File, ManagerError> {
        let (path, account) = (path.to_owned(), self.account()?);
        blocking(move || {
            let opened = open_regular(&path).and_then(|file| {
                if let Some(account) = account {
                    fchown(&file, Some(account.uid), Some(account.gid))?;
                }
                Ok(file)
            });
            opened.map_err(|source| ManagerError::io(format!("opening {}", path.display()), source))
        })
        .await
    }

    async fn spawn(&self, spec: &LaunchSpec, output: &File) -> Result<Option<Child>, ManagerError> {
        let mut spec = spec.clone();
        let account = self.account()?;
        if let Some(account) = &account {
            let mut env = account_environment(account);
            env.append(&mut spec.env);
            spec.env = env;
        }
        let program = display_name(&spec.program);
        let io_error = |source| ManagerError::io(format!("starting {program}"), source);
        let mut command = spec.command(output).map_err(io_error)?;
        if let Some(account) = &account {
            // With a uid set, the standard library also drops root's supplementary groups.
            command.uid(account.uid).gid(account.gid);
        }
        match spawn_when_free(&mut command).await {
            Ok(child) => Ok(Some(child)),
            Err(error) if is_program_error(&error) => Err(ManagerError::Rejected {
                what: format!("starting {program}"),
                words: error.to_string(),
            }),
            Err(error) => Err(io_error(error)),
        }
    }

    async fn signal(
        &self,
        table: &Table,
        handles: &[ProcessHandle],
        signal: Signal,
    ) -> Result<(), ManagerError> {
        for process in handles {
            process.signal(table, signal).map_err(|source| {
                ManagerError::io(
                    format!("sending {signal} to process {}", process.id.pid),
                    source,
                )
            })?;
        }
        Ok(())
    }
}

/// The variables a login would set. With root's own values a node would use root's home.
fn account_environment(account: &Account) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
    vec![
        ("HOME".into(), account.home.clone().into()),
        ("USER".into(), account.name.clone().into()),
        ("LOGNAME".into(), account.name.clone().into()),
    ]
}

/// Whether the error is the program's fault: another program at the same path would have started.
fn is_program_error(error: &io::Error) -> bool {
    let errors = [Errno::ENOEXEC, Errno::EACCES, Errno::ENOENT, Errno::EISDIR];
    error
        .raw_os_error()
        .is_some_and(|number| errors.contains(&Errno::from_raw(number)))
}
