//! Removes nodes and everything they own.

use std::path::{Path, PathBuf};

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::{Node, TransitionKind};
use wnm_host::layout;

use crate::Antctl;
use crate::client::Call;
use crate::registry::{Service, own_directories};

/// How often to ask antctl to remove a service. It refuses once if it took a dead node for a running one, and a
/// concurrent call by hand can write a removed service back.
const ATTEMPTS: usize = 4;

impl Antctl {
    /// Has antctl stop and remove the service with its data, then deletes the directories around it and closes
    /// the port.
    pub(crate) async fn remove_node(&self, node: &Node) -> Result<(), ManagerError> {
        match self.find_service(node).await? {
            Some(service) => self.remove_service(node, &service).await?,
            None => {
                self.check_not_running(node).await?;
                self.delete_stray_units(node).await?;
            }
        }
        fault::point("antctl.remove.called");
        self.delete_directories(node).await?;
        self.context.close_port(node).await
    }

    async fn remove_service(&self, node: &Node, service: &Service) -> Result<(), ManagerError> {
        let mut rejection = None;
        for _ in 0..ATTEMPTS {
            self.stop_service(service).await?;
            self.units.ensure_exists(service).await?;
            let call = Call::quiet("remove").args(["--service-name", &service.name]);
            match self.client.run_ok(call).await {
                Err(error @ ManagerError::Rejected { .. }) => rejection = Some(error),
                other => drop(other?),
            }
            if self.find_service(node).await?.is_none() {
                self.units.reset_failed(&service.name).await;
                return Ok(());
            }
        }
        Err(rejection.unwrap_or_else(|| ManagerError::Rejected {
            what: format!("removing {}", service.name),
            words: "antctl still lists it".to_owned(),
        }))
    }

    /// Deletes units that run nodes in this node's directories but are unknown to antctl. An add that was
    /// interrupted before it wrote the registry leaves one.
    async fn delete_stray_units(&self, node: &Node) -> Result<(), ManagerError> {
        let own = self.context.paths.node_dir(node.id);
        for directory in [&own, &node.root_dir] {
            for name in self.units.names_below(directory).await? {
                self.units.delete(&name).await?;
            }
        }
        Ok(())
    }

    /// Deletes what remains of the node's own directories. Never undoes an add by deleting a node that was
    /// launched once.
    pub(crate) async fn delete_directories(&self, node: &Node) -> Result<(), ManagerError> {
        let paths = &self.context.paths;
        let add_undone = node.under_way() == Some(TransitionKind::Adding);
        if add_undone && let Some(identity) = self.identity_in(&node.root_dir) {
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

    /// The identity file of a node in the directory or in one that antctl made inside it.
    fn identity_in(&self, directory: &Path) -> Option<PathBuf> {
        let children = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let children = children.map(|entry| entry.path());
        [directory.to_owned()]
            .into_iter()
            .chain(children)
            .map(|path| self.context.program.identity_file(&path))
            .find(|path| path.is_file())
    }
}
