use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{DesiredState, LifecycleState, ObservedState, TransitionKind};

/// The word that people read for a node. Always computed from desired, observed and transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// It runs.
    Running,
    /// It does not run.
    Stopped,
    /// A stop was asked for and is not confirmed yet.
    Stopping,
    /// Its binary is being replaced, or was a moment ago.
    Upgrading,
    /// It is being added or started, or was a moment ago.
    Restarting,
    /// It moves elsewhere. Only the Python wnm writes this word; ours reads it.
    Migrating,
    /// It is going, with its data.
    Removing,
    /// The operator took it out of wnm's hands.
    Disabled,
    /// Its directory is gone.
    Dead,
    /// Its supervisor did not say.
    Unknown,
}

/// A status word that no version of wnm writes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown node status '{0}'")]
pub struct UnknownStatus(pub String);

impl Status {
    /// Every word.
    pub const ALL: [Status; 10] = [
        Status::Running,
        Status::Stopped,
        Status::Stopping,
        Status::Upgrading,
        Status::Restarting,
        Status::Migrating,
        Status::Removing,
        Status::Disabled,
        Status::Dead,
        Status::Unknown,
    ];

    /// The projection: what is going on wins over what is wanted, which wins over what was seen.
    pub fn of(state: &LifecycleState) -> Status {
        let under_way = state.transition().map(|transition| transition.kind);
        match (state.desired().state, under_way, state.observed().state) {
            (DesiredState::Absent, _, _) | (_, Some(TransitionKind::Removing), _) => {
                Status::Removing
            }
            (DesiredState::Disabled, _, _) => Status::Disabled,
            (_, _, ObservedState::Dead) => Status::Dead,
            (_, Some(TransitionKind::Upgrading), _) => Status::Upgrading,
            (_, Some(TransitionKind::Adding | TransitionKind::Starting), _) => Status::Restarting,
            (_, Some(TransitionKind::Stopping), ObservedState::Stopped) => Status::Stopped,
            (_, Some(TransitionKind::Stopping), _) => Status::Stopping,
            (_, None, ObservedState::Running) => Status::Running,
            (_, None, ObservedState::Stopped) => Status::Stopped,
            (_, None, ObservedState::Unknown) => Status::Unknown,
        }
    }

    /// The word itself.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Running => "RUNNING",
            Status::Stopped => "STOPPED",
            Status::Stopping => "STOPPING",
            Status::Upgrading => "UPGRADING",
            Status::Restarting => "RESTARTING",
            Status::Migrating => "MIGRATING",
            Status::Removing => "REMOVING",
            Status::Disabled => "DISABLED",
            Status::Dead => "DEAD",
            Status::Unknown => "UNKNOWN",
        }
    }
}

impl std::str::FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Status::ALL
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or_else(|| UnknownStatus(word.to_owned()))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
