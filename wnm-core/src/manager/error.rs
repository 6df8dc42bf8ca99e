use std::time::Duration;

use thiserror::Error;

use super::CommandError;
use crate::files::DeleteError;
use crate::ports::PortError;

/// Why a manager could not do what was asked. The executor treats the variants apart.
#[derive(Debug, Error)]
pub enum ManagerError {
    /// The rights for it are missing. Trying again changes nothing.
    #[error("not permitted: {0}")]
    NotPermitted(String),
    /// The supervisor could not be spoken to: nothing is known, nothing was changed.
    #[error("{supervisor} is not reachable: {reason}")]
    Unreachable {
        /// Which supervisor.
        supervisor: String,
        /// Why.
        reason: String,
    },
    /// It did not finish in time: what came of it is not known.
    #[error("{what} did not finish within {}", crate::quantity::Seconds(limit.as_secs()))]
    TimedOut {
        /// What was done.
        what: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// It was tried and refused.
    #[error("{what}: {words}")]
    Rejected {
        /// What was tried.
        what: String,
        /// What the supervisor or the program said.
        words: String,
    },
    /// A container cannot have its ports.
    #[error(transparent)]
    Ports(#[from] PortError),
    /// What was asked about does not exist.
    #[error("not found: {0}")]
    NotFound(String),
    /// The file system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was done, with the path.
        what: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

impl ManagerError {
    /// An I/O failure at some step.
    pub fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        let what = what.into();
        if source.kind() == std::io::ErrorKind::PermissionDenied {
            return Self::NotPermitted(format!("{what}: {source}"));
        }
        Self::Io { what, source }
    }

    /// Whether it is open what came of the act, so that the record must stay as it is until someone looks.
    pub fn leaves_it_open(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::TimedOut { .. })
    }
}

impl From<CommandError> for ManagerError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::TimedOut { program, limit } => Self::TimedOut {
                what: program,
                limit,
            },
            CommandError::NotPermitted { program, words } => {
                Self::NotPermitted(format!("{program}: {words}"))
            }
            CommandError::NotFound { program } => Self::Unreachable {
                supervisor: program.clone(),
                reason: format!("no program '{program}' was found"),
            },
            CommandError::Failed {
                program,
                status,
                words,
            } => Self::Rejected {
                what: format!("{program} ({status})"),
                words,
            },
            CommandError::Io { program, source } => Self::io(program, source),
        }
    }
}

impl From<DeleteError> for ManagerError {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Refused { path, reason } => Self::Rejected {
                what: format!("deleting {}", path.display()),
                words: format!("refused, since {reason}"),
            },
            DeleteError::Io { path, source } => {
                Self::io(format!("deleting {}", path.display()), source)
            }
        }
    }
}
