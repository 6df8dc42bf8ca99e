//! A node gone with everything that was its own.

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::Removal;

use crate::Setsid;

impl Setsid {
    /// Ends the node, deletes its logs and then its data, and closes its port. Directories that wnm did not
    /// make are kept, and the error that ends an otherwise complete removal names them.
    pub(crate) async fn take_away(&self, node: &Node) -> Result<(), ManagerError> {
        let removal = self.take_away_but_port(node).await?;
        self.context.close_port(node).await?;
        removal.finish()
    }

    /// All but the port, and the end.
    pub(crate) async fn take_away_but_port<'a>(
        &'a self,
        node: &'a Node,
    ) -> Result<Removal<'a>, ManagerError> {
        self.end(node).await?;
        fault::point("setsid.remove.stopped");
        let mut removal = Removal::of(node, &self.context.paths, self.files.as_ref());
        removal.logs().await?;
        fault::point("setsid.remove.logs");
        removal.data().await?;
        fault::point("setsid.remove.data");
        Ok(removal)
    }
}
