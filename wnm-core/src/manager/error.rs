use std::time::Duration;

use thiserror::Error;

use crate::command::CommandError;
use crate::firewall::FirewallError;
use crate::kind::ManagerKind;
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
    /// There is no node program to give to a node.
    #[error("no node program to give it: {0}")]
    MissingBinary(String),
    /// This manager does not offer that.
    #[error("{manager} has no {what}")]
    Unsupported {
        /// Which manager.
        manager: ManagerKind,
        /// What it does not offer, as a noun.
        what: String,
    },
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

    /// The same error once more, for each node of a call that failed as a whole.
    #[must_use]
    pub fn repeat(&self) -> Self {
        match self {
            Self::NotPermitted(words) => Self::NotPermitted(words.clone()),
            Self::Unreachable { supervisor, reason } => Self::Unreachable {
                supervisor: supervisor.clone(),
                reason: reason.clone(),
            },
            Self::TimedOut { what, limit } => Self::TimedOut {
                what: what.clone(),
                limit: *limit,
            },
            Self::Rejected { what, words } => Self::Rejected {
                what: what.clone(),
                words: words.clone(),
            },
            Self::Ports(error) => Self::Ports(error.clone()),
            Self::NotFound(what) => Self::NotFound(what.clone()),
            Self::MissingBinary(reason) => Self::MissingBinary(reason.clone()),
            Self::Unsupported { manager, what } => Self::Unsupported {
                manager: manager.clone(),
                what: what.clone(),
            },
            Self::Io { what, source } => Self::Io {
                what: what.clone(),
                source: std::io::Error::new(source.kind(), source.to_string()),
            },
        }
    }

    /// What a firewall's failure means to a manager that was doing `what`.
    pub fn firewall(what: impl Into<String>, error: FirewallError) -> Self {
        let what = what.into();
        match error {
            FirewallError::Command(CommandError::NotPermitted { .. }) => {
                Self::NotPermitted(format!("{what}: {error}"))
            }
            FirewallError::Command(CommandError::TimedOut { limit, .. }) => Self::TimedOut {
                what: format!("{what}: {error}"),
                limit,
            },
            other => Self::Rejected {
                what,
                words: other.to_string(),
            },
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::FirewallChoice;

    #[test]
    fn missing_rights_and_time_are_told_apart_from_a_refusal() {
        let told =
            |error: FirewallError| ManagerError::firewall("opening port 55001", error).to_string();
        let sudo = CommandError::NotPermitted {
            program: "ufw allow 55001/udp".to_owned(),
            words: "sudo: a password is required".to_owned(),
        };
        insta::assert_snapshot!(told(sudo.into()), @"not permitted: opening port 55001: firewall: 'ufw allow 55001/udp' was not permitted: sudo: a password is required");
        let late = CommandError::TimedOut {
            program: "nft".to_owned(),
            limit: Duration::from_secs(9),
        };
        assert!(ManagerError::firewall("x", late.into()).leaves_it_open());
        let absent = FirewallError::NotInstalled(FirewallChoice::Ufw);
        insta::assert_snapshot!(told(absent), @"opening port 55001: firewall: ufw is not installed; install it or choose another with --firewall");
    }
}
