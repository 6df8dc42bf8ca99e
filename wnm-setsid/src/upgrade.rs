//! Upgrades a node, and rolls back if the new program does not start.

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_host::files::unfinished;
use wnm_host::rollback;

use crate::Setsid;

impl Setsid {
    /// Replaces the program. Keeps the old one beside it until the new one has started once, in this operation
    /// or a later one, so a crash in between loses nothing.
    pub(crate) async fn replace_program(
        &self,
        node: &Node,
        to: &NodeBinary,
    ) -> Result<(), ManagerError> {
        if !node.root_dir.is_dir() {
            return Err(ManagerError::NotFound(node.root_dir.display().to_string()));
        }
        let ran = !self.node_processes(node).await?.is_empty();
        self.stop_processes(node).await?;
        fault::point("setsid.upgrade.stopped");
        let replaced = self.install_program(node, to).await;
        fault::point("setsid.upgrade.replaced");
        match (replaced, ran) {
            (replaced, false) => replaced,
            (Ok(()), true) => self.start_or_roll_back(node).await,
            (Err(error), true) => {
                // The old program is still in place; report the first error.
                if let Err(second) = self.start_process(node).await {
                    tracing::warn!(node = %node.service, error = %second, "cannot restart the old program after a failed upgrade");
                }
                Err(error)
            }
        }
    }

    /// Starts the node. If an upgrade replaced its program and the new one does not start, restores the old
    /// program and starts that.
    pub(crate) async fn start_or_roll_back(&self, node: &Node) -> Result<(), ManagerError> {
        self.delete_partial_copy(node).await?;
        let start = || self.start_process(node);
        rollback::start(self.files.as_ref(), &node.binary, start).await
    }

    /// Deletes a partial copy of the program that a crash left. The repeated step may be a plain start, which
    /// copies nothing.
    async fn delete_partial_copy(&self, node: &Node) -> Result<(), ManagerError> {
        let part = unfinished(&node.binary);
        match std::fs::symlink_metadata(&part) {
            Ok(_) => self.files.delete_files(&[&part]).await,
            Err(_) => Ok(()),
        }
    }

    async fn install_program(&self, node: &Node, to: &NodeBinary) -> Result<(), ManagerError> {
        let files = self.files.as_ref();
        let kept = || fault::point("setsid.upgrade.kept");
        rollback::replace(files, &to.path, &node.binary, kept).await
    }
}
