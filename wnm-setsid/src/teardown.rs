//! All nodes gone.

use futures_util::{FutureExt, StreamExt, stream};
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;

use crate::Setsid;

/// How many nodes are removed at once. A node may take its whole grace to end, so one after the other would take
/// a thousand graces; each also reads the process table, which more at once would not make faster.
const AT_ONCE: usize = 32;

impl Setsid {
    /// Removes all nodes, going on past failures, and returns the first of them.
    pub(crate) async fn take_all_away(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        // Boxed, since the compiler cannot tell that a closure over borrowed nodes may be sent.
        let removals = nodes.iter().map(|node| self.take_away(node).boxed());
        let removals: Vec<_> = removals.collect();
        let mut outcome = Ok(());
        let mut removed = stream::iter(removals).buffered(AT_ONCE);
        while let Some(result) = removed.next().await {
            outcome = outcome.and(result);
        }
        outcome
    }
}
