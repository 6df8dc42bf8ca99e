//! Nodes gone with everything that was their own.

use futures_util::stream::{self, StreamExt};
use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::Removal;

use crate::S6Overlay;
use crate::scripts::Script;

/// Nodes whose files are deleted at once.
const AT_ONCE: usize = 16;

impl S6Overlay {
    pub(crate) async fn take_away(&self, nodes: &[Node]) -> Vec<Result<(), ManagerError>> {
        let outcomes = self.take_down_by(nodes, Script::Drop).await;
        let rest: Vec<_> = nodes
            .iter()
            .zip(outcomes)
            .map(|(node, outcome)| async move {
                match outcome {
                    Ok(()) => self.delete_rest(node).await,
                    failed => failed,
                }
            })
            .collect();
        stream::iter(rest).buffered(AT_ONCE).collect().await
    }

    /// Logs and data. Directories that wnm did not make are kept, and the error that ends an otherwise complete
    /// removal names them.
    async fn delete_rest(&self, node: &Node) -> Result<(), ManagerError> {
        let mut removal = Removal::of(node, &self.context.paths, self.files.as_ref());
        removal.logs().await?;
        fault::point("s6overlay.remove.logs");
        removal.data().await?;
        fault::point("s6overlay.remove.data");
        removal.finish()
    }
}
