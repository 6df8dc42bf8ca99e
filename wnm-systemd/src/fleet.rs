//! The slice that holds all nodes, and what they may take together.

use wnm_core::fault;
use wnm_core::manager::ManagerError;

use crate::Systemd;
use crate::making::Place;
use crate::unit::{SLICE, slice};

impl Systemd {
    /// Has the limits hold that are set now. Where there is no slice there is no node, and the first one brings
    /// it.
    pub(crate) async fn limit_fleet(&self) -> Result<(), ManagerError> {
        let (place, _) = self.place(SLICE).await?;
        if place != Place::Ours {
            return Ok(());
        }
        if self.write_slice().await? {
            fault::point("systemd.slice.written");
        }
        self.reload_if_outdated(SLICE).await
    }

    /// Has no limit hold any more. The slice itself stays for as long as nodes run in it: systemd keeps one without a
    /// file too.
    pub(crate) async fn lift_limits(&self) -> Result<(), ManagerError> {
        let (place, _) = self.place(SLICE).await?;
        if place != Place::Ours {
            return Ok(());
        }
        self.files.delete_files(&[&self.unit_path(SLICE)]).await?;
        self.reload().await
    }

    /// Writes the slice unless it is as it should be, or is another's. Whether it was written; systemd has not
    /// read it then.
    pub(crate) async fn write_slice(&self) -> Result<bool, ManagerError> {
        let (place, content) = self.place(SLICE).await?;
        let text = slice(&self.context.machine.fleet);
        if place == Place::Foreign || (place == Place::Ours && content == text.as_bytes()) {
            return Ok(false);
        }
        self.files.write(&self.unit_path(SLICE), &text).await?;
        Ok(true)
    }

    /// Has systemd read a unit anew whose file changed, be it by an earlier run that ended before it came to
    /// that.
    pub(crate) async fn reload_if_outdated(&self, unit: &str) -> Result<(), ManagerError> {
        if self.talk.is_outdated(unit).await? {
            self.reload().await?;
        }
        Ok(())
    }
}
