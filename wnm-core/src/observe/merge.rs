//! From what was seen of a node to what is recorded of it. Pure.

use crate::machine::Delays;
use crate::manager::ProcessState;
use crate::node::Node;
use crate::observe::Probe;
use crate::quantity::UnixTime;

/// What was found where a node's data should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootState {
    /// The directory is there.
    Present,
    /// It is gone, and the storage it was in is there.
    Gone,
    /// Nobody can say: the storage itself is missing (a disk that is not mounted), or cannot be read.
    Unknown,
}

/// Everything seen of one node.
#[derive(Debug, Clone)]
pub struct NodeEvidence {
    /// What its supervisor says.
    pub process: ProcessState,
    /// What itself says; `None` when it was not asked.
    pub probe: Option<Probe>,
    /// Its directory.
    pub root: RootState,
}

/// Stub.
pub fn observe_node(_node: &mut Node, _seen: &NodeEvidence, _now: UnixTime) {}

/// Stub.
pub fn settle_transition(_node: &mut Node, _delays: &Delays, _now: UnixTime) {}
