//! Another program for a node, and the old one back when the new one does not start.

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_host::rollback;

use crate::running::{Going, is_still};
use crate::{Systemd, unit_of};

impl Systemd {
    /// Replaces the program and restarts the node if it ran. The old program is kept beside it until the new one
    /// has started once, in this act or in a later one: a crash in between loses nothing.
    pub(crate) async fn replace_program(
        &self,
        node: &Node,
        to: &NodeBinary,
    ) -> Result<(), ManagerError> {
        let unit = &unit_of(node)?;
        if !node.root_dir.is_dir() {
            return Err(ManagerError::NotFound(node.root_dir.display().to_string()));
        }
        let ran = !is_still(&self.talk.details(unit).await?);
        rollback::keep(self.files.as_ref(), &node.binary).await?;
        fault::point("systemd.upgrade.kept");
        let copied = self.files.install_unless_same(&to.path, &node.binary);
        rollback::after_copy(self.files.as_ref(), &node.binary, copied.await).await?;
        fault::point("systemd.upgrade.replaced");
        if !ran {
            return Ok(());
        }
        self.refresh_unit(node).await?;
        // Otherwise the restarts of earlier upgrades count as those of a node that cannot stay up.
        self.talk.reset_failed(&[unit.to_owned()]).await?;
        let restarted = self.go(unit, Going::Restart).await;
        self.settle(node, restarted).await
    }

    /// Starts the node. If its program was replaced and does not start, the kept one is put back and started.
    pub(crate) async fn start_or_go_back(&self, node: &Node) -> Result<(), ManagerError> {
        let started = self.launch(node).await;
        self.settle(node, started).await
    }

    async fn settle(
        &self,
        node: &Node,
        started: Result<(), ManagerError>,
    ) -> Result<(), ManagerError> {
        let again = self.launch(node);
        rollback::settle(self.files.as_ref(), &node.binary, started, again).await
    }
}
