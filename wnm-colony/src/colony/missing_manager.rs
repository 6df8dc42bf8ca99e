//! What stands in for a manager that this program does not have, so that its colony can be looked at.

use std::collections::HashMap;

use async_trait::async_trait;

use wnm_core::id::NodeId;
use wnm_core::kind::ManagerKind;
use wnm_core::manager::{
    AddedNode, FoundNode, LanePolicy, ManagerError, ManagerPolicy, Outcomes, ProcessManager, each,
};
use wnm_core::node::{Node, ProcessState};
use wnm_core::program::NodeBinary;
use wnm_core::registry::UnregisteredManager;

/// Refuses everything.
pub(super) struct MissingManager(pub UnregisteredManager);

impl MissingManager {
    fn refused<T>(&self) -> Result<T, ManagerError> {
        Err(ManagerError::NotFound(self.0.to_string()))
    }
}

#[async_trait]
impl ProcessManager for MissingManager {
    fn kind(&self) -> ManagerKind {
        self.0.kind.clone()
    }

    fn policy(&self) -> ManagerPolicy {
        ManagerPolicy {
            lanes: LanePolicy::Single,
            ..ManagerPolicy::default()
        }
    }

    async fn add(&self, nodes: &[Node], _: &NodeBinary) -> Outcomes<AddedNode> {
        each(nodes, |_| async { self.refused() }).await
    }

    async fn start(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, |_| async { self.refused() }).await
    }

    async fn stop(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, |_| async { self.refused() }).await
    }

    async fn upgrade(&self, nodes: &[Node], _: &NodeBinary) -> Outcomes<()> {
        each(nodes, |_| async { self.refused() }).await
    }

    async fn remove(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, |_| async { self.refused() }).await
    }

    async fn statuses(&self, _: &[Node]) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        self.refused()
    }

    async fn discover(&self) -> Result<Vec<FoundNode>, ManagerError> {
        self.refused()
    }
}
