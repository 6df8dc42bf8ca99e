//! A node: what is wanted of it, what was seen of it, and what is under way.

mod change;
mod evidence;
pub mod lifecycle;
mod measurements;
mod state;
mod status;

use std::path::PathBuf;

use semver::Version;
use serde::{Deserialize, Serialize};

pub use change::NodeChange;
pub use evidence::{DataState, NodeEvidence, NodeReport, ProbeResult, ProcessState};
pub use lifecycle::{LifecycleRecord, LifecycleState};
pub use measurements::NodeMeasurements;
pub use state::{
    Actor, Desired, DesiredState, Observed, ObservedState, Transition, TransitionKind, UnknownWord,
};
pub use status::{Status, UnknownStatus};

use crate::id::{ContainerId, NodeId, NodeName};
use crate::kind::ManagerKind;
use crate::ports::NodePorts;
use crate::quantity::UnixTime;
use crate::wallet::Address;

/// One node of the colony, as it is stored.
///
/// Its [`lifecycle`](Self::lifecycle) says how it stands, and the functions of the module [`lifecycle`] are all that
/// changes it. The status that people read is a projection of it: [`Node::status`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its number, which its name, directory and ports derive from unless it was adopted.
    pub id: NodeId,
    /// Which supervisor runs it.
    pub manager: ManagerKind,
    /// What the supervisor calls it: a unit, a label, antctl's name. Not derived from the id.
    pub service: String,
    /// The account it runs under.
    pub user: String,
    /// Its own copy of the program.
    pub binary: PathBuf,
    /// Version last seen; kept while the node is stopped.
    pub version: Option<Version>,
    /// Its data: key, records. Deleted only by a removal.
    pub root_dir: PathBuf,
    /// Its logs.
    pub log_dir: Option<PathBuf>,
    /// Where it listens.
    pub ports: NodePorts,
    /// The address its metrics are asked at, as a rule 127.0.0.1.
    pub host: String,
    /// The payment network it was started for, as `evm-arbitrum-one`.
    pub network: String,
    /// Where its rewards go.
    pub wallet: Option<Address>,
    /// Its name in the network; kept while the node is stopped.
    pub peer_id: Option<String>,
    /// The container it lives in, where the supervisor has containers.
    pub container: Option<ContainerId>,
    /// `KEY=value` words for its environment beyond the machine's.
    pub environment: Option<String>,
    /// How it stands: what is wanted of it, what was seen of it and what is under way.
    #[serde(flatten)]
    pub lifecycle: LifecycleState,
    /// What it last said of itself.
    pub measured: NodeMeasurements,
    /// When it was first launched. Youngest means largest.
    pub first_launch: UnixTime,
}

impl Node {
    /// Its four-digit name, `0007`.
    pub fn name(&self) -> NodeName {
        NodeName(self.id)
    }

    /// The word that people and the Python wnm read.
    pub fn status(&self) -> Status {
        self.lifecycle.status()
    }

    /// What is wanted of it.
    pub fn desired(&self) -> Desired {
        self.lifecycle.desired()
    }

    /// What was last seen of it.
    pub fn observed(&self) -> Observed {
        self.lifecycle.observed()
    }

    /// What is under way with it.
    pub fn transition(&self) -> Option<Transition> {
        self.lifecycle.transition()
    }

    /// When its status last changed.
    pub fn status_since(&self) -> UnixTime {
        self.lifecycle.record().status_since
    }

    /// When it was last started, by anyone.
    pub fn last_start(&self) -> Option<UnixTime> {
        self.lifecycle.record().last_start
    }

    /// Starts in a row after which it did not stay up.
    pub fn failed_starts(&self) -> u32 {
        self.lifecycle.record().failed_starts
    }

    /// Stops in a row for load without a long run in between.
    pub fn load_stops(&self) -> u32 {
        self.lifecycle.record().load_stops
    }

    /// Whether wnm leaves it alone, whatever the load.
    pub fn is_disabled(&self) -> bool {
        self.desired().state == DesiredState::Disabled
    }

    /// Whether it counts as part of the colony: one being removed no longer does.
    pub fn is_kept(&self) -> bool {
        self.desired().state != DesiredState::Absent
    }

    /// The kind of change under way, if any.
    pub fn under_way(&self) -> Option<TransitionKind> {
        self.transition().map(|t| t.kind)
    }
}
