//! Removes a node and everything it owns.

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::Removal;

use crate::Setsid;

impl Setsid {
    /// Stops the node, deletes its logs and then its data, and closes its port. Keeps directories that wnm did
    /// not make; the removal then completes but returns an error that names them.
    pub(crate) async fn remove_node(&self, node: &Node) -> Result<(), ManagerError> {
        let removal = self.remove_except_port(node).await?;
        self.context.close_port(node).await?;
        removal.finish()
    }

    /// Removes everything but the port, and leaves [`Removal::finish`] to the caller.
    pub(crate) async fn remove_except_port<'a>(
        &'a self,
        node: &'a Node,
    ) -> Result<Removal<'a>, ManagerError> {
        self.stop_processes(node).await?;
        fault::point("setsid.remove.stopped");
        let mut removal = Removal::of(node, &self.context.paths, self.files.as_ref());
        removal.logs().await?;
        fault::point("setsid.remove.logs");
        removal.data().await?;
        fault::point("setsid.remove.data");
        Ok(removal)
    }
}
