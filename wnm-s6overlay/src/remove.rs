//! Removes nodes with all their files.

use futures_util::stream::{self, StreamExt};
use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::Removal;

use crate::S6Overlay;
use crate::scripts::Script;

/// How many nodes' files to delete at once.
const CONCURRENCY: usize = 16;

impl S6Overlay {
    pub(crate) async fn remove_nodes(&self, nodes: &[Node]) -> Vec<Result<(), ManagerError>> {
        let outcomes = self.bring_down(nodes, Script::Remove).await;
        let deletions: Vec<_> = nodes
            .iter()
            .zip(outcomes)
            .map(|(node, outcome)| async move {
                match outcome {
                    Ok(()) => self.delete_files(node).await,
                    failed => failed,
                }
            })
            .collect();
        stream::iter(deletions)
            .buffered(CONCURRENCY)
            .collect()
            .await
    }

    /// Deletes logs and data, but keeps directories that wnm did not create. After an otherwise complete removal,
    /// the error names the kept directories.
    async fn delete_files(&self, node: &Node) -> Result<(), ManagerError> {
        let mut removal = Removal::of(node, &self.context.paths, self.files.as_ref());
        removal.logs().await?;
        fault::point("s6overlay.remove.logs");
        removal.data().await?;
        fault::point("s6overlay.remove.data");
        removal.finish()
    }
}
