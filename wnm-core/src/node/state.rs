use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::quantity::UnixTime;

/// What is wanted of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DesiredState {
    /// It should run.
    Running,
    /// It should not run, and keeps its data.
    Stopped,
    /// It should not run, and wnm decides nothing about it until the operator does.
    Disabled,
    /// It should be gone, with its data.
    Absent,
}

/// On whose word a state is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Actor {
    /// A cycle decided it.
    Wnm,
    /// The operator said so. Databases store `person`.
    #[serde(rename = "person")]
    Operator,
    /// It was found that way: an adopted node, or a row the Python wnm wrote.
    Found,
}

/// What is wanted, on whose word and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// The state.
    pub state: DesiredState,
    /// Who wants it.
    pub by: Actor,
    /// Since when.
    pub since: UnixTime,
}

/// What was seen of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObservedState {
    /// Its process runs.
    Running,
    /// Its supervisor says that it does not run.
    Stopped,
    /// Its root directory is gone while the storage it was in is there.
    Dead,
    /// Nobody could say. Nothing is done against such a node.
    Unknown,
}

/// What was seen, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// The state.
    pub state: ObservedState,
    /// When it was seen.
    pub at: UnixTime,
}

/// A change that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransitionKind {
    /// Directory, binary and service are being made; a start follows.
    Adding,
    /// It is being started, or has been and its load is still settling.
    Starting,
    /// It is being stopped.
    Stopping,
    /// Its binary is being replaced, or has been and its load is still settling.
    Upgrading,
    /// Process, service, data and logs are going.
    Removing,
}

/// A change under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// Which change.
    pub kind: TransitionKind,
    /// Since when.
    pub since: UnixTime,
    /// Whether the act itself is done, and only its delay still runs. A record that says `false` at the
    /// beginning of a cycle was left by a run that ended in the middle; the step is taken again.
    pub acted: bool,
}

impl Transition {
    /// One that begins now; its act is still to be done.
    pub fn begun(kind: TransitionKind, now: UnixTime) -> Self {
        Self {
            kind,
            since: now,
            acted: false,
        }
    }

    /// One whose act was just done; its delay begins now.
    pub fn acted(kind: TransitionKind, now: UnixTime) -> Self {
        Self {
            kind,
            since: now,
            acted: true,
        }
    }
}

/// A word for a state that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown word '{0}'")]
pub struct UnknownWord(pub String);

macro_rules! words {
    ($type:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $type {
            /// The word the database stores.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::str::FromStr for $type {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord(word.to_owned())),
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(DesiredState {
    Running => "running",
    Stopped => "stopped",
    Disabled => "disabled",
    Absent => "absent",
});
words!(Actor { Wnm => "wnm", Operator => "person", Found => "found" });
words!(ObservedState {
    Running => "running",
    Stopped => "stopped",
    Dead => "dead",
    Unknown => "unknown",
});
words!(TransitionKind {
    Adding => "adding",
    Starting => "starting",
    Stopping => "stopping",
    Upgrading => "upgrading",
    Removing => "removing",
});
