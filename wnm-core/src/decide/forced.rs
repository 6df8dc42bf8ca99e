use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Plan;
use crate::node::NodeId;
use crate::observe::Snapshot;

/// What a person can make wnm do with nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForcedAction {
    /// Add new nodes.
    Add,
    /// Remove nodes with their data.
    Remove,
    /// Give nodes the current binary.
    Upgrade,
    /// Start stopped or disabled nodes.
    Start,
    /// Stop nodes.
    Stop,
    /// Stop nodes and take them out of wnm's hands.
    Disable,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForcedRequest {
    /// What to do.
    pub action: ForcedAction,
    /// With which nodes; when empty, wnm chooses `count` of them as a cycle would.
    pub nodes: Vec<NodeId>,
    /// How many, where no nodes are named.
    pub count: u32,
}

/// Why it was not done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// There is no such node.
    #[error("there is no node {0}")]
    NoSuchNode(NodeId),
}

pub(super) fn decide(_: &Snapshot, _: &ForcedRequest) -> Result<Plan, Refusal> {
    todo!()
}
