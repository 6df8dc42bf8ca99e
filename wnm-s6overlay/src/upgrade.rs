//! Replaces the program of nodes. Stops those that run together, and starts them together again.

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

/// How many programs to install at once.
const CONCURRENCY: usize = 16;

type Outcome = Result<(), ManagerError>;

impl S6Overlay {
    pub(crate) async fn upgrade_nodes(&self, nodes: &[Node], to: &NodeBinary) -> Vec<Outcome> {
        let states = match self.states(nodes).await {
            Ok(states) => states,
            Err(error) => return nodes.iter().map(|_| Err(error.repeat())).collect(),
        };
        let was_running: BTreeSet<NodeId> = nodes
            .iter()
            .map(|node| node.id)
            .filter(|id| matches!(states.get(id), Some(ProcessState::Running { .. })))
            .collect();
        let outcomes = self.stop_nodes(nodes).await;
        fault::point("s6overlay.upgrade.stopped");
        let installs: Vec<_> = nodes
            .iter()
            .zip(outcomes)
            .map(|(node, outcome)| async move {
                match outcome {
                    Ok(()) => self.install_program(node, to).await,
                    failed => failed,
                }
            })
            .collect();
        let mut outcomes: Vec<Outcome> =
            stream::iter(installs).buffered(CONCURRENCY).collect().await;
        fault::point("s6overlay.upgrade.replaced");
        // A node whose upgrade failed still has its old program. It starts with that.
        let stopped: Vec<(usize, Node)> = nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| was_running.contains(&node.id))
            .map(|(index, node)| (index, node.clone()))
            .collect();
        let to_start: Vec<Node> = stopped.iter().map(|(_, node)| node.clone()).collect();
        let started = self.start_nodes(&to_start).await;
        for ((index, _), started) in stopped.into_iter().zip(started) {
            match (&outcomes[index], started) {
                (Ok(()), Err(error)) => outcomes[index] = Err(error),
                // Report the first error.
                (Err(_), Err(second)) => {
                    tracing::warn!(error = %second, "cannot restart a node after its failed upgrade");
                }
                (_, Ok(())) => {}
            }
        }
        outcomes
    }

    async fn install_program(&self, node: &Node, to: &NodeBinary) -> Outcome {
        if !node.root_dir.is_dir() {
            return Err(ManagerError::NotFound(node.root_dir.display().to_string()));
        }
        rollback::replace(self.files.as_ref(), &to.path, &node.binary, || {}).await
    }
}
