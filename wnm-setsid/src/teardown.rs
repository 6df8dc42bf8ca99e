//! Removes all nodes.

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt, stream};
use wnm_core::firewall::Opening;
use wnm_core::manager::{ManagerError, Reset};
use wnm_core::node::Node;
use wnm_host::Removal;

use crate::Setsid;

/// How many nodes to remove at once. A node may take the whole grace period to exit, so a thousand nodes in
/// sequence would take a thousand grace periods. Each removal also reads the process table, which more
/// concurrency would not speed up.
const CONCURRENCY: usize = 32;

#[async_trait]
impl Reset for Setsid {
    /// Removes all nodes, continues past failures, and returns the first failure. Closes the ports at the end,
    /// because closing many together takes few firewall changes.
    async fn remove_everything(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        // Boxed, because the compiler cannot prove that a closure over borrowed nodes is Send.
        let removals = nodes.iter().map(|node| {
            let removal = self.remove_except_port(node);
            async move { (node, removal.await) }.boxed()
        });
        let removals: Vec<_> = removals.collect();
        let (mut outcome, mut ports) = (Ok(()), Vec::new());
        let mut removed = stream::iter(removals).buffered(CONCURRENCY);
        while let Some((node, removal)) = removed.next().await {
            if removal.is_ok() {
                ports.push(Opening::of(node));
            }
            outcome = outcome.and(removal.and_then(Removal::finish));
        }
        outcome.and(self.context.close_ports(&ports).await)
    }
}
