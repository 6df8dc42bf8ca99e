use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{ContainerId, NodeId};

/// One container as it was just seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerObservation {
    /// Which container of the machine it is.
    pub id: ContainerId,
    /// Its state.
    pub state: ContainerState,
    /// What the engine says of a container in an unknown state, such as `is paused`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// Nodes that went down with it: it runs again, without their services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<NodeId>,
}

impl ContainerObservation {
    /// A container in this state that lost no nodes.
    pub const fn new(id: ContainerId, state: ContainerState) -> Self {
        Self {
            id,
            state,
            said: None,
            lost: Vec::new(),
        }
    }
}

/// The state of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContainerState {
    /// It runs.
    Running,
    /// It does not run and can be started.
    Stopped,
    /// It is not there and can be created.
    Missing,
    /// None of these. The states of its nodes are unknown, and wnm does nothing with it by itself.
    Unknown,
}

impl fmt::Display for ContainerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Missing => "missing",
            Self::Unknown => "in an unknown state",
        })
    }
}
