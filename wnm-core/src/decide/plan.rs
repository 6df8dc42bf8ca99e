use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Features, NodeList, Reason};
use crate::id::{ContainerId, NodeId};
use crate::node::Actor;

/// What is done with one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Make a new node of this number and start it.
    Add,
    /// Start it; an outdated one is given the current binary first.
    Start {
        /// Whether the binary is replaced before.
        upgrade_first: bool,
    },
    /// Stop it, keep its data.
    Stop,
    /// Stop it and take it out of wnm's hands.
    Disable,
    /// Give a running node the current binary.
    Upgrade,
    /// Stop it and delete everything of it.
    Remove,
    /// Take up a step that an earlier run left in the middle.
    Resume,
    /// Drop the row of a node whose removal is over.
    Forget,
}

impl Act {
    /// The word that the journal and tables use.
    pub const fn word(self) -> &'static str {
        match self {
            Act::Add => "add",
            Act::Start { .. } => "start",
            Act::Stop => "stop",
            Act::Disable => "disable",
            Act::Upgrade => "upgrade",
            Act::Remove => "remove",
            Act::Resume => "resume",
            Act::Forget => "forget",
        }
    }
}

/// One thing to do: a node, what, and why. At most one per node in a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Which node.
    pub node: NodeId,
    /// What.
    pub act: Act,
    /// Why.
    pub reason: Reason,
    /// Rank of the rule it came from: 100 for a reboot down to 40 for an add.
    pub priority: u8,
    /// On whose word.
    pub by: Actor,
}

/// What is done with the machine, for its nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "act")]
pub enum MachineAct {
    /// Create a container if it is missing, and start it.
    EnsureContainer {
        /// Which container.
        container: ContainerId,
    },
    /// Open the ports of nodes again.
    OpenPorts {
        /// Whose ports.
        nodes: NodeList,
    },
}

impl MachineAct {
    /// The word that the journal uses.
    pub const fn as_str(&self) -> &'static str {
        match self {
            MachineAct::EnsureContainer { .. } => "container",
            MachineAct::OpenPorts { .. } => "ports",
        }
    }
}

/// What it acts on, such as `container a1`.
impl fmt::Display for MachineAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MachineAct::EnsureContainer { container } => write!(f, "container {container}"),
            MachineAct::OpenPorts { nodes } => write!(f, "ports of {nodes}"),
        }
    }
}

/// One thing to do before any step of a node: what and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MachineStep {
    /// What.
    #[serde(flatten)]
    pub act: MachineAct,
    /// Why.
    pub reason: Reason,
}

/// What a plan as a whole amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanKind {
    /// Nothing to do.
    Idle,
    /// There are no nodes and none may be added.
    NoNodes,
    /// The machine came up anew; nodes were looked at again and that is all.
    Rebooted,
    /// There are steps.
    Act,
}

/// What one cycle does, why, and why not more. Data: it can be stored, compared and read.
#[must_use = "a plan that nobody executes or shows does nothing"]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What it amounts to.
    pub kind: PlanKind,
    /// What to do first, for the nodes of the steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub machine_steps: Vec<MachineStep>,
    /// What to do, in order of rank.
    pub steps: Vec<Step>,
    /// What was not done, and why: a reason for every rule that was considered and did not apply.
    pub held_back: Vec<Reason>,
    /// Warnings that lead to no act.
    pub warnings: Vec<Reason>,
    /// The measured values and thresholds it was decided from.
    pub features: Features,
}
