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

use super::Hands;
use crate::detach::{Order, name};
use crate::output::open_plain;
use crate::table::Table;
use crate::watch::Held;

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
        match spawn_when_free(&mut command).await {
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

/// Whether another program in the same place would have started.
fn is_the_programs_fault(error: &io::Error) -> bool {
    let faults = [Errno::ENOEXEC, Errno::EACCES, Errno::ENOENT, Errno::EISDIR];
    error
        .raw_os_error()
        .is_some_and(|number| faults.contains(&Errno::from_raw(number)))
}
