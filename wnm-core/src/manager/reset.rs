use async_trait::async_trait;

use super::{ManagerError, ProcessManager, one_per_node};
use crate::node::Node;

/// Removal of everything at once.
#[async_trait]
pub trait Reset: Send + Sync {
    /// Removes all nodes with their services, data and logs, and what they share. Goes on past failures.
    ///
    /// # Errors
    ///
    /// The first failure. What is left can be removed by another call.
    async fn remove_everything(&self, nodes: &[Node]) -> Result<(), ManagerError>;
}

/// Removes everything: by the manager's [`Reset`] if it has one, node by node otherwise.
///
/// # Errors
///
/// The first failure, after all nodes were tried.
pub async fn teardown(manager: &dyn ProcessManager, nodes: &[Node]) -> Result<(), ManagerError> {
    if let Some(reset) = manager.reset() {
        return reset.remove_everything(nodes).await;
    }
    let mut outcome = Ok(());
    for batch in nodes.chunks(manager.policy().batch.max(1)) {
        let removed = one_per_node(batch, manager.remove(batch).await);
        outcome = removed.into_iter().fold(outcome, Result::and);
    }
    outcome
}
