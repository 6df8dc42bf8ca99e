//! Upgrades a node's program, and rolls back if the new one does not start.

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_host::rollback;

use crate::start_stop::{StartMode, is_stopped};
use crate::{Systemd, unit_of};

impl Systemd {
    /// Replaces the program and restarts the node if it ran. Keeps the old program until the new
    /// one has started once, now or later, so that a crash loses nothing.
    pub(crate) async fn upgrade_node(
        &self,
        node: &Node,
        to: &NodeBinary,
    ) -> Result<(), ManagerError> {
        let unit = &unit_of(node)?;
        if !node.root_dir.is_dir() {
            return Err(ManagerError::NotFound(node.root_dir.display().to_string()));
        }
        let ran = !is_stopped(&self.client.details(unit).await?);
        let files = self.files.as_ref();
        let kept = || fault::point("systemd.upgrade.kept");
        rollback::replace(files, &to.path, &node.binary, kept).await?;
        fault::point("systemd.upgrade.replaced");
        if !ran {
            return Ok(());
        }
        self.refresh_unit(node).await?;
        // Restarts from earlier upgrades would otherwise count against the start limit.
        self.client.reset_failed(&[unit.to_owned()]).await?;
        let restarted = self.start_and_verify(unit, StartMode::Restart).await;
        let again = self.start_node(node);
        rollback::settle(files, &node.binary, restarted, again).await
    }

    /// Starts the node. If its program was replaced and does not start, restores the old one and
    /// starts that.
    pub(crate) async fn start_or_roll_back(&self, node: &Node) -> Result<(), ManagerError> {
        let start = || self.start_node(node);
        rollback::start(self.files.as_ref(), &node.binary, start).await
    }
}
