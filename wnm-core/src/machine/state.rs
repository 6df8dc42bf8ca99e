use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::quantity::UnixTime;

/// What wnm itself keeps of a machine, apart from its settings: whoever stores settings cannot write these back
/// stale.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineState {
    /// Highest number ever given, kept by managers that never give one twice.
    pub highest_id: Option<NodeId>,
    /// When a node was last stopped for load.
    pub last_stopped_at: Option<UnixTime>,
}
