//! The process table, the only source of truth about what runs. Pid files outlive their processes.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(not(target_os = "linux"), test))]
mod portable;

use std::path::PathBuf;

use thiserror::Error;
use wnm_core::manager::ManagerError;

#[cfg(target_os = "linux")]
pub(crate) use linux::Table;
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::Table;

/// The process table could not be read, so no process state is known.
#[derive(Debug, Error)]
pub(crate) enum TableError {
    #[error("{}: {source}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{} shows the processes of another pid namespace", .0.display())]
    Foreign(PathBuf),
    #[cfg(any(not(target_os = "linux"), test))]
    #[error("{} shows the processes of other accounts only to root; run wnm as root", .0.display())]
    RootOnly(PathBuf),
    #[cfg(target_os = "linux")]
    #[error("{} hides the processes of other accounts (hidepid); run wnm as root", .0.display())]
    Hidden(PathBuf),
}

impl From<TableError> for ManagerError {
    fn from(error: TableError) -> Self {
        ManagerError::Unreachable {
            supervisor: "the process table".to_owned(),
            reason: error.to_string(),
        }
    }
}
