//! Manages the slice that holds all nodes and their shared resource limits.

use wnm_core::fault;
use wnm_core::manager::ManagerError;

use crate::Systemd;
use crate::add::Ownership;
use crate::unit::{SLICE, render_slice};

impl Systemd {
    /// Applies the current limits. Without a slice there are no nodes, and the first add creates
    /// it.
    pub(crate) async fn apply_fleet_limits(&self) -> Result<(), ManagerError> {
        let (ownership, _) = self.ownership(SLICE).await?;
        if ownership != Ownership::Ours {
            return Ok(());
        }
        if self.update_slice().await? {
            fault::point("systemd.slice.written");
        }
        self.reload_if_outdated(SLICE).await
    }

    /// Removes all limits by deleting the slice file. The slice itself stays while nodes run in it;
    /// systemd keeps it without a file.
    pub(crate) async fn remove_fleet_limits(&self) -> Result<(), ManagerError> {
        let (ownership, _) = self.ownership(SLICE).await?;
        if ownership != Ownership::Ours {
            return Ok(());
        }
        self.files.delete_files(&[&self.unit_path(SLICE)]).await?;
        self.reload().await
    }

    /// Writes the slice file unless it is up to date or foreign. Returns whether it wrote; the
    /// caller must then reload.
    pub(crate) async fn update_slice(&self) -> Result<bool, ManagerError> {
        let (ownership, content) = self.ownership(SLICE).await?;
        let text = render_slice(&self.context.machine.fleet);
        if ownership == Ownership::Foreign
            || (ownership == Ownership::Ours && content == text.as_bytes())
        {
            return Ok(false);
        }
        self.files.write(&self.unit_path(SLICE), &text).await?;
        Ok(true)
    }

    /// Reloads if the file of this unit changed, even if an earlier run changed it and was killed
    /// before its reload.
    pub(crate) async fn reload_if_outdated(&self, unit: &str) -> Result<(), ManagerError> {
        if self.client.is_outdated(unit).await? {
            self.reload().await?;
        }
        Ok(())
    }
}
