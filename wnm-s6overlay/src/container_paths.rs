//! Maps paths on the machine to paths in a container. Containers use the same places as the official node manager.

use std::path::{Path, PathBuf};

use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::paths::Paths;
use wnm_host::layout;

const SERVICES: &str = "/var/antctl/services";
const LOGS: &str = "/var/log/antnode";
const BOOTSTRAP_CACHE: &str = "/var/antctl/bootstrap-cache";

/// The directories that every container mounts: pairs of machine path and container path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContainerPaths {
    mounts: [(PathBuf, PathBuf); 3],
}

impl ContainerPaths {
    pub fn new(paths: &Paths) -> Self {
        let mount =
            |machine: &Path, container: &str| (machine.to_owned(), PathBuf::from(container));
        Self {
            // Logs and cache can be below the storage, so the longer paths come first.
            mounts: [
                mount(&paths.logs, LOGS),
                mount(&paths.bootstrap_cache, BOOTSTRAP_CACHE),
                mount(&paths.node_storage, SERVICES),
            ],
        }
    }

    /// The mounts, as pairs of machine path and container path.
    pub fn mounts(&self) -> impl Iterator<Item = (&Path, &Path)> {
        self.mounts
            .iter()
            .map(|(machine, container)| (machine.as_path(), container.as_path()))
    }

    /// The paths that a node in a container uses.
    pub fn paths(&self) -> Paths {
        let [logs, cache, services] = self
            .mounts
            .each_ref()
            .map(|(_, container)| container.clone());
        Paths {
            state: PathBuf::from("/var/antctl"),
            node_storage: services,
            logs,
            bootstrap_cache: cache,
        }
    }

    /// The node with its paths in the container.
    pub fn map_node(&self, node: &Node, paths: &Paths) -> Result<Node, ManagerError> {
        Ok(Node {
            binary: self.map_path(&node.binary)?,
            root_dir: self.map_path(&node.root_dir)?,
            log_dir: Some(self.map_path(&layout::log_dir(node, paths))?),
            ..node.clone()
        })
    }

    fn map_path(&self, path: &Path) -> Result<PathBuf, ManagerError> {
        self.mounts
            .iter()
            .find_map(|(machine, container)| Some(container.join(path.strip_prefix(machine).ok()?)))
            .ok_or_else(|| ManagerError::Rejected {
                what: path.display().to_string(),
                words: "is not in a directory that containers mount".to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wnm_core::testing::node;

    #[test]
    fn logs_below_the_storage_map_to_their_own_mount() {
        let paths = Paths {
            state: PathBuf::from("/home/ann/.local/share/autonomi"),
            node_storage: PathBuf::from("/srv/ant"),
            logs: PathBuf::from("/srv/ant/logs"),
            bootstrap_cache: PathBuf::from("/srv/ant/bootstrap-cache"),
        };
        let container_paths = ContainerPaths::new(&paths);
        let mapped = container_paths.map_node(&node(7), &paths).unwrap();
        assert_eq!(
            mapped.root_dir,
            Path::new("/var/antctl/services/antnode0007")
        );
        assert_eq!(
            mapped.log_dir.unwrap(),
            Path::new("/var/log/antnode/antnode0007")
        );
        let mut foreign = node(7);
        foreign.root_dir = PathBuf::from("/elsewhere/antnode0007");
        assert!(container_paths.map_node(&foreign, &paths).is_err());
    }
}
