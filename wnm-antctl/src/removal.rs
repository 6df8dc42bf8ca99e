//! Nodes gone with everything that was their own.

use std::path::{Path, PathBuf};

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::{Node, TransitionKind};
use wnm_host::layout;

use crate::Antctl;
use crate::caller::Call;
use crate::registry::{Service, own_directories};

/// How often antctl is asked to remove a service: it refuses once when it took a dead node for a running one, and one
/// that is removed comes back when another call, made by hand, writes the registry as it was.
const TRIES: usize = 4;

impl Antctl {
    /// Has antctl stop and remove the service with its data, then deletes the directories that antctl made its own in.
    pub(crate) async fn take_away(&self, node: &Node) -> Result<(), ManagerError> {
        match self.service(node).await? {
            Some(service) => self.remove_service(node, &service).await?,
            None => {
                self.check_nothing_runs(node).await?;
                self.clear_half_made(node).await?;
            }
        }
        fault::point("antctl.remove.called");
        self.delete_directories(node).await?;
        self.context.close_port(node).await
    }

    async fn remove_service(&self, node: &Node, service: &Service) -> Result<(), ManagerError> {
        let mut said = None;
        for _ in 0..TRIES {
            self.end_service(service).await?;
            self.units.stand_in(service).await?;
            let call = Call::quiet("remove").args(["--service-name", &service.name]);
            match self.caller.act(call).await {
                Err(error @ ManagerError::Rejected { .. }) => said = Some(error),
                other => drop(other?),
            }
            if self.service(node).await?.is_none() {
                self.units.forgive(&service.name).await;
                return Ok(());
            }
        }
        Err(said.unwrap_or_else(|| ManagerError::Rejected {
            what: format!("removing {}", service.name),
            words: "antctl still has it".to_owned(),
        }))
    }

    /// Units that run nodes in this node's directories and that antctl does not know: an add that ended before it
    /// wrote the registry leaves one.
    async fn clear_half_made(&self, node: &Node) -> Result<(), ManagerError> {
        let own = self.context.paths.node_dir(node.id);
        for directory in [&own, &node.root_dir] {
            for name in self.units.below(directory).await? {
                self.units.delete(&name).await?;
            }
        }
        Ok(())
    }

    /// Deletes what is left of the node's own directories. Nothing that was launched once is deleted because an add
    /// did not succeed.
    pub(crate) async fn delete_directories(&self, node: &Node) -> Result<(), ManagerError> {
        let paths = &self.context.paths;
        let undone = node.under_way() == Some(TransitionKind::Adding);
        if undone && let Some(identity) = self.identity_in(&node.root_dir) {
            return Err(ManagerError::Rejected {
                what: format!("undoing the add of node {}", node.id),
                words: format!("kept {}, which is the key of a node", identity.display()),
            });
        }
        for name in own_directories(&paths.node_storage, &node.root_dir, node) {
            self.files
                .delete_directory(&paths.node_storage, name)
                .await?;
        }
        let logs = layout::log_dir(node, paths);
        for name in own_directories(&paths.logs, &logs, node) {
            self.files.delete_directory(&paths.logs, name).await?;
        }
        match std::fs::symlink_metadata(&node.root_dir) {
            Err(_) => Ok(()),
            Ok(_) => Err(ManagerError::Rejected {
                what: format!("removing {}", node.service),
                words: format!(
                    "kept {}, which wnm did not make; delete by hand",
                    node.root_dir.display()
                ),
            }),
        }
    }

    /// The key of a node in a directory or in one that antctl made in it.
    fn identity_in(&self, directory: &Path) -> Option<PathBuf> {
        let inner = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let inner = inner.map(|entry| entry.path());
        [directory.to_owned()]
            .into_iter()
            .chain(inner)
            .map(|path| self.context.program.identity_file(&path))
            .find(|path| path.is_file())
    }
}
