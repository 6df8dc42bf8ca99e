//! Another program for a node, and the old one back when the new one does not start.

use std::path::{Path, PathBuf};

use wnm_core::fault;
use wnm_core::files::unfinished;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;

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
        let previous = previous(&node.binary);
        let kept = std::fs::symlink_metadata(&previous).is_ok_and(|entry| entry.is_file());
        match self.launch(node).await {
            Ok(()) if kept => {
                // The node runs; a file too many is no reason to say that it does not.
                if let Err(error) = self.hands.delete_file(&previous).await {
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

    /// Deletes the part of a program that a crash in the middle of a copy left: the step that is taken again
    /// may be a start alone, which copies nothing.
    async fn clear_unfinished(&self, node: &Node) -> Result<(), ManagerError> {
        let part = unfinished(&node.binary);
        match std::fs::symlink_metadata(&part) {
            Ok(_) => self.hands.delete_file(&part).await,
            Err(_) => Ok(()),
        }
    }

    async fn put_in_place(&self, node: &Node, to: &NodeBinary) -> Result<(), ManagerError> {
        let previous = previous(&node.binary);
        // One that is kept already is the last that is known to have started.
        if std::fs::symlink_metadata(&previous).is_err() && node.binary.is_file() {
            self.hands.keep(&node.binary, &previous).await?;
        }
        fault::point("setsid.upgrade.kept");
        self.hands.install(&to.path, &node.binary).await
    }
}

/// Where the replaced program is kept.
pub(crate) fn previous(binary: &Path) -> PathBuf {
    let mut name = binary.as_os_str().to_owned();
    name.push(".previous");
    PathBuf::from(name)
}
