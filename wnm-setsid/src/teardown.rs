//! All nodes gone.

use futures_util::{FutureExt, StreamExt, stream};
use wnm_core::firewall::Opening;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::Removal;

use crate::Setsid;

/// How many nodes are removed at once. A node may take its whole grace to end, so one after the other would take
/// a thousand graces; each also reads the process table, which more at once would not make faster.
const AT_ONCE: usize = 32;

impl Setsid {
    /// Removes all nodes, going on past failures, and returns the first of them. The ports are closed at the
    /// end, since many at once are few changes to the firewall.
    pub(crate) async fn take_all_away(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        // Boxed, since the compiler cannot tell that a closure over borrowed nodes may be sent.
        let removals = nodes.iter().map(|node| {
            let removal = self.take_away_but_port(node);
            async move { (node, removal.await) }.boxed()
        });
        let removals: Vec<_> = removals.collect();
        let (mut outcome, mut ports) = (Ok(()), Vec::new());
        let mut removed = stream::iter(removals).buffered(AT_ONCE);
        while let Some((node, removal)) = removed.next().await {
            if removal.is_ok() {
                ports.push(Opening::of(node));
            }
            outcome = outcome.and(removal.and_then(Removal::finish));
        }
        outcome.and(self.context.close_ports(&ports).await)
    }
}
