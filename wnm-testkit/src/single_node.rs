use std::slice::from_ref;

use async_trait::async_trait;
use wnm_core::manager::{AddedNode, ManagerError, ProcessManager, one, teardown};
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;

/// The acts of a manager for one node, and the removal of everything. For tests, which mostly act on one node.
#[async_trait]
pub trait SingleNode {
    /// Adds one node.
    async fn add_one(&self, node: &Node, binary: &NodeBinary) -> Result<AddedNode, ManagerError>;
    /// Starts one node.
    async fn start_one(&self, node: &Node) -> Result<(), ManagerError>;
    /// Stops one node.
    async fn stop_one(&self, node: &Node) -> Result<(), ManagerError>;
    /// Upgrades one node.
    async fn upgrade_one(&self, node: &Node, to: &NodeBinary) -> Result<(), ManagerError>;
    /// Removes one node.
    async fn remove_one(&self, node: &Node) -> Result<(), ManagerError>;
    /// Removes all nodes, as a colony does.
    async fn teardown(&self, nodes: &[Node]) -> Result<(), ManagerError>;
}

#[async_trait]
impl<M: ProcessManager> SingleNode for M {
    async fn add_one(&self, node: &Node, binary: &NodeBinary) -> Result<AddedNode, ManagerError> {
        one(node, self.add(from_ref(node), binary).await)
    }

    async fn start_one(&self, node: &Node) -> Result<(), ManagerError> {
        one(node, self.start(from_ref(node)).await)
    }

    async fn stop_one(&self, node: &Node) -> Result<(), ManagerError> {
        one(node, self.stop(from_ref(node)).await)
    }

    async fn upgrade_one(&self, node: &Node, to: &NodeBinary) -> Result<(), ManagerError> {
        one(node, self.upgrade(from_ref(node), to).await)
    }

    async fn remove_one(&self, node: &Node) -> Result<(), ManagerError> {
        one(node, self.remove(from_ref(node)).await)
    }

    async fn teardown(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        teardown(self, nodes).await
    }
}
