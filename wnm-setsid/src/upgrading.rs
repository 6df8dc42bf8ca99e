//! Another program for a node, and the old one back when the new one does not start.

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_host::files::unfinished;
use wnm_host::rollback;

use crate::Setsid;

impl Setsid {
    /// Replaces the program. The old one is kept beside it until the new one has started once, in this act or
    /// in a later one: a crash in between loses nothing.
    pub(crate) async fn replace_program(
        &self,
        node: &Node,
        to: &NodeBinary,
    ) -> Result<(), ManagerError> {
        if !node.root_dir.is_dir() {
            return Err(ManagerError::NotFound(node.root_dir.display().to_string()));
        }
        let ran = !self.processes_of(node).await?.is_empty();
        self.end(node).await?;
        fault::point("setsid.upgrade.stopped");
        let replaced = self.put_in_place(node, to).await;
        fault::point("setsid.upgrade.replaced");
        match (replaced, ran) {
            (replaced, false) => replaced,
            (Ok(()), true) => self.start_or_go_back(node).await,
            (Err(error), true) => {
                // The old program is still in place; the failure that is told is the one that came first.
                if let Err(second) = self.launch(node).await {
                    tracing::warn!(node = %node.service, error = %second, "not started again after a failed upgrade");
                }
                Err(error)
            }
        }
    }

    /// Starts the node. If its program was replaced and does not start, the kept one is put back and started.
    pub(crate) async fn start_or_go_back(&self, node: &Node) -> Result<(), ManagerError> {
        self.clear_unfinished(node).await?;
        let started = self.launch(node).await;
        rollback::settle(
            self.files.as_ref(),
            &node.binary,
            started,
            self.launch(node),
        )
        .await
    }

    /// Deletes the part of a program that a crash in the middle of a copy left: the step that is taken again
    /// may be a start alone, which copies nothing.
    async fn clear_unfinished(&self, node: &Node) -> Result<(), ManagerError> {
        let part = unfinished(&node.binary);
        match std::fs::symlink_metadata(&part) {
            Ok(_) => self.files.delete_files(&[&part]).await,
            Err(_) => Ok(()),
        }
    }

    async fn put_in_place(&self, node: &Node, to: &NodeBinary) -> Result<(), ManagerError> {
        rollback::keep(self.files.as_ref(), &node.binary).await?;
        fault::point("setsid.upgrade.kept");
        let copied = self.files.install(&to.path, &node.binary).await;
        rollback::after_copy(self.files.as_ref(), &node.binary, copied).await
    }
}
