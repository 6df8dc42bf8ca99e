//! Everything that a decision is made from.

mod old_form;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::container::ContainerObservation;
use crate::id::NodeId;
use crate::machine::{Machine, MachineLoad, MachineState};
use crate::manager::ManagerPolicy;
use crate::node::Node;
use crate::ports::{Port, PortUse};
use crate::program::NodeBinary;
use crate::quantity::UnixTime;

/// Version of the JSON form of a snapshot; raised when a reader of the old form would be misled.
pub const SNAPSHOT_FORMAT: u32 = 1;

/// All that a decision is made from, and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// [`SNAPSHOT_FORMAT`] at the time of writing.
    pub format: u32,
    /// When it was taken.
    pub taken_at: UnixTime,
    /// The machine's settings.
    pub machine: Machine,
    /// What wnm keeps of it besides.
    pub state: MachineState,
    /// Its measured load.
    pub load: MachineLoad,
    /// Whether it came up anew since the last cycle.
    pub rebooted: bool,
    /// Whether the supervisor answered. When it did not, nothing is done.
    pub supervisor: SupervisorState,
    /// What the manager can and cannot do.
    pub policy: ManagerPolicy,
    /// The binary that new and upgraded nodes get; the reason when there is none to be had.
    pub binary: Result<NodeBinary, String>,
    /// Whether wnm upgrades nodes itself.
    pub upgrades_enabled: bool,
    /// Numbers that cannot be given now although no node has them, and why: a foreign listener on a port, a
    /// directory in the way.
    pub blocked_ids: Vec<BlockedId>,
    /// The containers as they were just seen: those there are, and those that nodes belong in. Empty where the
    /// manager has none, or its engine did not answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<ContainerObservation>,
    /// Every node as it was just seen.
    pub nodes: Vec<Node>,
}

impl Snapshot {
    /// Reads one from JSON, of this or an earlier wnm.
    ///
    /// # Errors
    ///
    /// The value is no snapshot.
    pub fn from_json(mut value: Value) -> Result<Self, serde_json::Error> {
        old_form::update(&mut value);
        serde_json::from_value(value)
    }
}

/// Whether the supervisor answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SupervisorState {
    /// It did.
    Answering,
    /// It did not, for this reason.
    Silent(String),
}

/// A number that cannot be given now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedId {
    /// The number.
    pub id: NodeId,
    /// What is in its way.
    pub reason: String,
}

/// A port that a node would need and something else has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenPort {
    /// Whose it is to be.
    pub id: NodeId,
    /// What for.
    pub range: PortUse,
    /// Which one.
    pub port: Port,
}
