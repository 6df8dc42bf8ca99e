//! Where things of the machine are inside a container: in the places that the official manager of nodes uses.

use std::path::{Path, PathBuf};

use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::paths::Paths;
use wnm_host::layout;

const SERVICES: &str = "/var/antctl/services";
const LOGS: &str = "/var/log/antnode";
const BOOTSTRAP_CACHE: &str = "/var/antctl/bootstrap-cache";

/// The directories that every container sees, as they are called here and in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inside {
    mounts: [(PathBuf, PathBuf); 3],
}

impl Inside {
    pub fn of(paths: &Paths) -> Self {
        let mount = |here: &Path, there: &str| (here.to_owned(), PathBuf::from(there));
        Self {
            // The logs and the cache can lie in the storage, so the longer paths come first.
            mounts: [
                mount(&paths.logs, LOGS),
                mount(&paths.bootstrap_cache, BOOTSTRAP_CACHE),
                mount(&paths.node_storage, SERVICES),
            ],
        }
    }

    /// What is mounted where.
    pub fn mounts(&self) -> impl Iterator<Item = (&Path, &Path)> {
        self.mounts
            .iter()
            .map(|(here, there)| (here.as_path(), there.as_path()))
    }

    /// The same paths for a node in a container.
    pub fn paths(&self) -> Paths {
        let [logs, cache, services] = self.mounts.each_ref().map(|(_, there)| there.clone());
        Paths {
            state: PathBuf::from("/var/antctl"),
            node_storage: services,
            logs,
            bootstrap_cache: cache,
        }
    }

    /// The node as it sees itself.
    pub fn node(&self, node: &Node, paths: &Paths) -> Result<Node, ManagerError> {
        Ok(Node {
            binary: self.path(&node.binary)?,
            root_dir: self.path(&node.root_dir)?,
            log_dir: Some(self.path(&layout::log_dir(node, paths))?),
            ..node.clone()
        })
    }

    fn path(&self, here: &Path) -> Result<PathBuf, ManagerError> {
        self.mounts
            .iter()
            .find_map(|(from, to)| Some(to.join(here.strip_prefix(from).ok()?)))
            .ok_or_else(|| ManagerError::Rejected {
                what: here.display().to_string(),
                words: "is in no directory that containers see".to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wnm_core::testing::node;

    #[test]
    fn what_lies_in_the_storage_is_found_in_its_own_mount() {
        let paths = Paths {
            state: PathBuf::from("/home/ann/.local/share/autonomi"),
            node_storage: PathBuf::from("/srv/ant"),
            logs: PathBuf::from("/srv/ant/logs"),
            bootstrap_cache: PathBuf::from("/srv/ant/bootstrap-cache"),
        };
        let inside = Inside::of(&paths);
        let seen = inside.node(&node(7), &paths).unwrap();
        assert_eq!(seen.root_dir, Path::new("/var/antctl/services/antnode0007"));
        assert_eq!(
            seen.log_dir.unwrap(),
            Path::new("/var/log/antnode/antnode0007")
        );
        let mut foreign = node(7);
        foreign.root_dir = PathBuf::from("/elsewhere/antnode0007");
        assert!(inside.node(&foreign, &paths).is_err());
    }
}
