use std::collections::BTreeMap;

use super::ManagerError;
use crate::container::Container;
use crate::id::ContainerId;
use crate::id::NodeId;

/// What became of containers when a manager saw to them.
#[derive(Debug, Default)]
pub struct Housing {
    /// Every container there is, for the record.
    pub containers: Vec<Container>,
    /// Containers that were made or started.
    pub opened: Vec<ContainerId>,
    /// Containers that cannot be used, and why.
    pub closed: BTreeMap<ContainerId, ManagerError>,
    /// Nodes that were brought back, and what came of it.
    pub returned: Vec<(NodeId, Result<(), ManagerError>)>,
}
