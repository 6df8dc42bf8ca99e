//! Another program for a node, and the old one back when the new one does not start.

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;

use crate::running::{Going, is_still};
use crate::{Systemd, previous, unit_of};

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
        let kept = previous(&node.binary);
        // One that is kept already is the last that is known to have started.
        if std::fs::symlink_metadata(&kept).is_err() && node.binary.is_file() {
            self.hands.install(&node.binary, &kept).await?;
            fault::point("systemd.upgrade.kept");
        }
        self.install(&to.path, &node.binary).await?;
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

    /// After a start: a kept program is of no use when it went well, and is put back when it did not.
    async fn settle(
        &self,
        node: &Node,
        started: Result<(), ManagerError>,
    ) -> Result<(), ManagerError> {
        let previous = previous(&node.binary);
        let kept = std::fs::symlink_metadata(&previous).is_ok_and(|entry| entry.is_file());
        match started {
            Ok(()) if kept => {
                // The node runs; a file too many is no reason to say that it does not.
                if let Err(error) = self.hands.delete_files(&[&previous]).await {
                    tracing::warn!(file = %previous.display(), %error, "the replaced program stays");
                }
                Ok(())
            }
            Err(ManagerError::Rejected { what, words }) if kept => {
                self.hands.rename(&previous, &node.binary).await?;
                let end = match self.launch(node).await {
                    Ok(()) => "the previous program was put back and runs".to_owned(),
                    Err(error) => {
                        format!(
                            "the previous program was put back and does not start either: {error}"
                        )
                    }
                };
                Err(ManagerError::Rejected {
                    what,
                    words: format!("{words}; {end}"),
                })
            }
            other => other,
        }
    }
}
