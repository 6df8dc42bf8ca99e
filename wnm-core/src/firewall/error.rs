use std::time::Duration;

use thiserror::Error;

use crate::command::CommandError;
use crate::machine::FirewallChoice;
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
