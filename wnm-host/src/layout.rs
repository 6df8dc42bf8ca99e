//! The directories of a node: which they are, which of them are wnm's to delete, and what must be true before
//! anything is put there.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use wnm_core::id::{NodeId, NodeName};
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::paths::Paths;

/// Checks that there is a storage to put nodes into.
///
/// A storage that wnm keeps in its own state directory is made on demand. Any other must be there: a disk that
/// is not mounted would otherwise be taken for an empty one, and all nodes on it for lost.
pub fn check_storage(paths: &Paths) -> Result<(), ManagerError> {
    let storage = &paths.node_storage;
    let refused = |words: &str| ManagerError::Rejected {
        what: format!("node storage {}", storage.display()),
        words: words.to_owned(),
    };
    match std::fs::metadata(storage) {
        Ok(entry) if entry.is_dir() => Ok(()),
        Ok(_) => Err(refused(
            "is not a directory; give another with --node-storage",
        )),
        Err(error) if error.kind() == ErrorKind::NotFound && storage.starts_with(&paths.state) => {
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Err(refused(
            "does not exist; mount the disk it is on, or create it",
        )),
        Err(source) => Err(ManagerError::io(
            format!("node storage {}", storage.display()),
            source,
        )),
    }
}

/// The log directory of a node: the one on record, or the one that wnm gives.
pub fn log_dir(node: &Node, paths: &Paths) -> PathBuf {
    match &node.log_dir {
        Some(dir) => dir.clone(),
        None => paths.log_dir(node.id),
    }
}

/// Name of `path` when it is a directory directly below `base` that is named like one of node `id`: only such
/// a directory is wnm's to delete.
pub fn own_name<'a>(base: &Path, path: &'a Path, id: NodeId) -> Option<&'a str> {
    let name = path.file_name()?.to_str()?;
    let plain = path.components().next_back()?.as_os_str() == name;
    (plain && path.parent() == Some(base) && id_of(name) == Some(id)).then_some(name)
}

/// Whether a path that somebody else wrote can be that of a node's program or data: a full one, below the root, that
/// leads nowhere but down. Any other would mean something else wherever wnm happens to be run.
pub fn is_place(path: &Path) -> bool {
    let leads_down = |part| part != Component::ParentDir;
    path.is_absolute() && path.parent().is_some() && path.components().all(leads_down)
}

/// Number of the node that a directory name stands for: `antnode0007` and antctl's `antnode7`.
pub fn id_of(name: &str) -> Option<NodeId> {
    let digits = name.strip_prefix("antnode")?;
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let NodeName(id) = all_digits.then(|| name.parse().ok()).flatten()?;
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_nodes_own_directory_has_a_name_to_delete() {
        let id = NodeId::new(7).unwrap();
        let own = |path: &str| own_name(Path::new("/n"), Path::new(path), id).map(str::to_owned);
        assert_eq!(own("/n/antnode0007").unwrap(), "antnode0007");
        assert_eq!(own("/n/antnode7/").unwrap(), "antnode7");
        for foreign in [
            "/n/antnode0008",
            "/n/7",
            "/n/antnode0007.service",
            "/n/sub/antnode0007",
            "/m/antnode0007",
            "/n/../n/antnode0007",
            "/n/antnode0007/..",
            "/n",
            "/",
            "antnode0007",
        ] {
            assert_eq!(own(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_place_is_a_full_path_that_leads_down() {
        for place in ["/n", "/n/antnode0001/antnode", "/n/./x", "/n/a..b"] {
            assert!(is_place(Path::new(place)), "{place}");
        }
        for other in ["", "/", "antnode", "./n", "/n/..", "/n/../etc", "~/n"] {
            assert!(!is_place(Path::new(other)), "{other}");
        }
    }

    #[test]
    fn a_missing_storage_is_made_only_in_wnms_own_directory() {
        let dir = tempfile::tempdir().unwrap();
        let paths = |storage: &Path| Paths {
            state: dir.path().join("state"),
            node_storage: storage.to_owned(),
            logs: dir.path().join("logs"),
            bootstrap_cache: dir.path().join("cache"),
        };
        check_storage(&paths(&dir.path().join("state/nodes"))).unwrap();
        check_storage(&paths(dir.path())).unwrap();
        let elsewhere = dir.path().join("disk/nodes");
        let error = check_storage(&paths(&elsewhere)).unwrap_err().to_string();
        assert!(error.contains("disk/nodes does not exist") || error.contains("disk/nodes: does"));
        let file = dir.path().join("file");
        std::fs::write(&file, b"").unwrap();
        assert!(check_storage(&paths(&file)).is_err());
    }
}
