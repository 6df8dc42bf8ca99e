//! Another program for nodes: those that run are stopped together, and together started again.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt};
use wnm_core::fault;
use wnm_core::id::NodeId;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_core::program::NodeBinary;
use wnm_host::rollback;

use crate::S6Overlay;
use crate::running::same;

/// Programs that are put in place at once.
const AT_ONCE: usize = 16;

type Outcome = Result<(), ManagerError>;

impl S6Overlay {
    pub(crate) async fn replace_programs(&self, nodes: &[Node], to: &NodeBinary) -> Vec<Outcome> {
        let states = match self.states(nodes).await {
            Ok(states) => states,
            Err(error) => return nodes.iter().map(|_| Err(same(&error))).collect(),
        };
        let ran: BTreeSet<NodeId> = nodes
            .iter()
            .map(|node| node.id)
            .filter(|id| matches!(states.get(id), Some(ProcessState::Running { .. })))
            .collect();
        let outcomes = self.end(nodes).await;
        fault::point("s6overlay.upgrade.stopped");
        let placed: Vec<_> = nodes
            .iter()
            .zip(outcomes)
            .map(|(node, outcome)| async move {
                match outcome {
                    Ok(()) => self.put_in_place(node, to).await,
                    failed => failed,
                }
            })
            .collect();
        let mut outcomes: Vec<Outcome> = stream::iter(placed).buffered(AT_ONCE).collect().await;
        fault::point("s6overlay.upgrade.replaced");
        // One whose program could not be replaced still has the old one, and is started with that.
        let stopped: Vec<(usize, Node)> = nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| ran.contains(&node.id))
            .map(|(place, node)| (place, node.clone()))
            .collect();
        let to_start: Vec<Node> = stopped.iter().map(|(_, node)| node.clone()).collect();
        let started = self.start_or_go_back(&to_start).await;
        for ((place, _), started) in stopped.into_iter().zip(started) {
            match (&outcomes[place], started) {
                (Ok(()), Err(error)) => outcomes[place] = Err(error),
                // The failure to tell is the first one.
                (Err(_), Err(second)) => {
                    tracing::warn!(error = %second, "not started again after a failed upgrade");
                }
                (_, Ok(())) => {}
            }
        }
        outcomes
    }

    async fn put_in_place(&self, node: &Node, to: &NodeBinary) -> Outcome {
        if !node.root_dir.is_dir() {
            return Err(ManagerError::NotFound(node.root_dir.display().to_string()));
        }
        rollback::keep(self.files.as_ref(), &node.binary).await?;
        self.files.install(&to.path, &node.binary).await
    }
}
