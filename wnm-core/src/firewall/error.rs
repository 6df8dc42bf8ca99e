use std::time::Duration;

use thiserror::Error;

use super::FirewallChoice;
use crate::manager::{CommandError, ManagerError};
use crate::quantity::Seconds;

/// Why a firewall did not do what was asked.
#[derive(Debug, Error)]
pub enum FirewallError {
    /// The firewall that the settings name is not there.
    #[error("firewall: {0} is not installed; install it or choose another with --firewall")]
    NotInstalled(FirewallChoice),
    /// Others were at it all the time.
    #[error("firewall: {firewall} was busy for {}", Seconds(waited.as_secs()))]
    Busy {
        /// Which one.
        firewall: FirewallChoice,
        /// How long it was waited for.
        waited: Duration,
    },
    /// It said something that cannot be understood.
    #[error("firewall: cannot read the rules that nft lists: {0}")]
    Unreadable(#[source] serde_json::Error),
    /// Its program was not permitted, not found, failed or did not end.
    #[error("firewall: {0}")]
    Command(#[source] CommandError),
}

impl From<CommandError> for FirewallError {
    fn from(error: CommandError) -> Self {
        Self::Command(error)
    }
}

impl FirewallError {
    /// What it means to a process manager that was doing `what`.
    pub fn during(self, what: impl Into<String>) -> ManagerError {
        let what = what.into();
        match self {
            Self::Command(CommandError::NotPermitted { .. }) => {
                ManagerError::NotPermitted(format!("{what}: {self}"))
            }
            Self::Command(CommandError::TimedOut { limit, .. }) => ManagerError::TimedOut {
                what: format!("{what}: {self}"),
                limit,
            },
            other => ManagerError::Rejected {
                what,
                words: other.to_string(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_rights_and_time_are_told_apart_from_a_refusal() {
        let told = |error: FirewallError| error.during("opening port 55001").to_string();
        let sudo = CommandError::NotPermitted {
            program: "ufw allow 55001/udp".to_owned(),
            words: "sudo: a password is required".to_owned(),
        };
        insta::assert_snapshot!(told(sudo.into()), @"not permitted: opening port 55001: firewall: 'ufw allow 55001/udp' was not permitted: sudo: a password is required");
        let late = CommandError::TimedOut {
            program: "nft".to_owned(),
            limit: Duration::from_secs(9),
        };
        assert!(FirewallError::from(late).during("x").leaves_it_open());
        let absent = FirewallError::NotInstalled(FirewallChoice::Ufw);
        insta::assert_snapshot!(told(absent), @"opening port 55001: firewall: ufw is not installed; install it or choose another with --firewall");
    }
}
