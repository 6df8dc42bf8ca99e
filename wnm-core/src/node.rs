//! A node: what is wanted of it, what was seen of it, and what is under way.

mod evidence;
mod measurements;
mod settle;
mod state;
mod status;

use std::path::PathBuf;

use semver::Version;
use serde::{Deserialize, Serialize};

pub use evidence::{NodeEvidence, NodeReport, Probe, ProcessState, RootState, Seen, observe_node};
pub use measurements::NodeMeasurements;
pub use settle::{Settled, settle_transition};
pub use state::{
    Actor, Desired, DesiredState, Observed, ObservedState, Transition, TransitionKind,
};
pub use status::{Status, UnknownStatus};

use crate::id::{ContainerId, NodeId, NodeName};
use crate::kind::ManagerKind;
use crate::ports::NodePorts;
use crate::quantity::UnixTime;
use crate::wallet::Address;

/// One node of the colony, as it is stored.
///
/// Three fields say how it stands: [`desired`](Self::desired), [`observed`](Self::observed) and
/// [`transition`](Self::transition). The word that people read is a projection of them: [`Node::status`].
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
    /// What is wanted of it.
    pub desired: Desired,
    /// What was last seen of it.
    pub observed: Observed,
    /// What is under way with it.
    pub transition: Option<Transition>,
    /// What it last said of itself.
    pub measured: NodeMeasurements,
    /// When it was first launched. Youngest means largest.
    pub first_launch: UnixTime,
    /// When its status word last changed.
    pub status_since: UnixTime,
    /// When it was last started, by anyone.
    pub last_start: Option<UnixTime>,
    /// Starts in a row after which it did not stay up; spaces out the next attempt.
    pub failed_starts: u32,
    /// Stops in a row for load without a long run in between; spaces out the next start.
    pub load_stops: u32,
}

impl Node {
    /// Its four-digit name, `0007`.
    pub fn name(&self) -> NodeName {
        NodeName(self.id)
    }

    /// The word that people and the Python wnm read.
    pub fn status(&self) -> Status {
        Status::of(self)
    }

    /// Whether wnm leaves it alone, whatever the load.
    pub fn is_disabled(&self) -> bool {
        self.desired.state == DesiredState::Disabled
    }

    /// Whether it counts as part of the colony: one being removed no longer does.
    pub fn is_kept(&self) -> bool {
        self.desired.state != DesiredState::Absent
    }

    /// The kind of change under way, if any.
    pub fn under_way(&self) -> Option<TransitionKind> {
        self.transition.map(|t| t.kind)
    }
}
