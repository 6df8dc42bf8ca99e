//! Looking: the machine's load, the nodes' processes and what they say, put together into a [`Snapshot`].

mod deadline;
pub mod exposition;
mod gather;
mod machine;
mod merge;
mod roots;
mod settle;
mod survey;
mod vacancy;

use std::collections::HashMap;
use std::path::Path;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use gather::{Looking, LookingAtNodes, Sight, look_at_nodes};
pub use machine::{Counters, CpuTimes, SystemProbe, Traffic};
pub use merge::{NodeEvidence, RootState, Seen, observe_node};
pub use roots::{is_marked, mark_storage, root_states, unmark_storage};
pub use settle::{Settled, settle_transition};
#[cfg(any(test, feature = "fuzz"))]
pub(crate) use survey::read_pages;
pub use survey::{HttpProbe, SurveyLimits};
pub use vacancy::{TakenPort, Tried, blocked_ids, taken_ports, try_port};

use crate::machine::{Machine, MachineLoad};
use crate::manager::ManagerPolicy;
use crate::node::{Node, NodeId};
use crate::ports::Port;
use crate::program::{NodeBinary, NodeReport};
use crate::quantity::{Milliseconds, UnixTime};

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
    /// Every node as it was just seen.
    pub nodes: Vec<Node>,
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

/// Where one node is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurveyTarget {
    /// Which node.
    pub id: NodeId,
    /// Its host.
    pub host: String,
    /// Its metrics port.
    pub port: Port,
}

/// What came of asking one node.
#[derive(Debug, Clone, PartialEq)]
pub enum Probe {
    /// It answered as a node.
    Answered(Box<NodeReport>),
    /// Nothing listens there.
    Refused,
    /// Something is there that did not answer as a node does, for this reason.
    Silent(String),
}

/// Asks nodes what they are and how they are.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait NodeProbe: Send + Sync {
    /// Asks all of them, many at once, each under a deadline; `pacing` is the least time between the
    /// beginnings of two requests. Every target has an entry in the result.
    async fn survey(
        &self,
        targets: &[SurveyTarget],
        pacing: Milliseconds,
    ) -> HashMap<NodeId, Probe>;
}

/// A measurement of the machine, and the counters that the next one continues from.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineReading {
    /// The load.
    pub load: MachineLoad,
    /// To be stored.
    pub counters: Counters,
}

/// Measures the machine.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait MachineProbe: Send + Sync {
    /// Measures. Means run from `previous` where it is of the same boot and younger than fifteen minutes;
    /// otherwise a short sample is taken. `storage` is the directory whose file system is the nodes'.
    async fn measure(
        &self,
        now: UnixTime,
        storage: &Path,
        previous: Option<Counters>,
    ) -> Result<MachineReading, ObserveError>;

    /// What identifies the current boot.
    fn boot_id(&self) -> Result<String, ObserveError>;

    /// How many processors there are.
    fn cpu_count(&self) -> u32;
}

/// Why the machine could not be measured.
#[derive(Debug, Error)]
pub enum ObserveError {
    /// The operating system did not say.
    #[error("cannot read {what}: {source}")]
    Read {
        /// What was read.
        what: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}
