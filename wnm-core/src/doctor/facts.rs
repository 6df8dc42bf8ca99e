use std::collections::BTreeSet;
use std::path::PathBuf;

use semver::Version;

use super::{Finding, KernelPorts};
use crate::id::NodeId;
use crate::machine::Machine;
use crate::manager::FoundNode;
use crate::node::Node;
use crate::quantity::{Percent, Seconds, UnixTime};
use crate::snapshot::TakenPort;

/// Everything that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The settings.
    pub machine: Machine,
    /// The nodes, as they were just seen.
    pub nodes: Vec<Node>,
    /// What the supervisor knows, or why it does not say.
    pub supervisor: Result<Vec<FoundNode>, String>,
    /// Nodes without a service.
    pub without_service: BTreeSet<NodeId>,
    /// Of these, nodes whose service wnm could write again as it was.
    pub restorable: BTreeSet<NodeId>,
    /// Nodes whose program is gone while their directory is there.
    pub without_program: BTreeSet<NodeId>,
    /// Directories in the node storage that are called like a node's.
    pub directories: Vec<NodeDirectory>,
    /// Ports of nodes that do not run, and of numbers up to the cap, that something else has.
    pub taken_ports: Vec<TakenPort>,
    /// Nodes on whose metrics port another one answers, with its peer id.
    pub foreign_answers: Vec<(NodeId, Option<String>)>,
    /// The version of the program that new nodes get, or why it cannot be used.
    pub program: Result<Version, String>,
    /// The kernel's own ports, where it tells.
    pub kernel_ports: Option<KernelPorts>,
    /// The node storage.
    pub storage: StorageFacts,
    /// The time.
    pub clock: ClockFacts,
    /// What there is of the Python wnm.
    pub python: PythonFacts,
    /// anm's line of cron, where it has one and drives the units that wnm does.
    pub anm_cron: Option<PathBuf>,
    /// What the manager itself finds wrong.
    pub of_manager: Vec<Finding>,
}

/// A directory in the node storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeDirectory {
    /// Where it is.
    pub path: PathBuf,
    /// Whether the key of a node is in it, of which there may be no other copy.
    pub has_key: bool,
}

/// The node storage and its disk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StorageFacts {
    /// Whether it is there.
    pub exists: bool,
    /// How full its disk is.
    pub used: Percent,
    /// How large that is, in bytes.
    pub total: u64,
}

/// The clock and what was recorded by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockFacts {
    /// The time.
    pub now: UnixTime,
    /// The latest time on record.
    pub newest_record: UnixTime,
    /// Whether it follows a time server; `None` where nobody can say.
    pub synchronized: Option<bool>,
}

/// The Python wnm on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PythonFacts {
    /// Its lock file and the age of that.
    pub lock: Option<(PathBuf, Seconds)>,
    /// Its process, where one is to be seen.
    pub process: Option<i32>,
}
