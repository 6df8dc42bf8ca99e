//! Checks which nodes still have their data directory.
//!
//! An unmounted disk must not look like five hundred dead nodes. So a missing directory counts as
//! gone only if its parent proves that the right disk is mounted.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use super::deadline::{FILE_SYSTEM_DEADLINE, within};
use wnm_core::id::NodeId;
use wnm_core::node::DataState;
use wnm_core::node::Node;
use wnm_host::layout::id_of;

/// The file that distinguishes a node storage from the empty mount point of its disk.
const MARKER: &str = ".wnm";

/// Marks a directory as a node storage.
///
/// Call this only when a storage is created or its nodes are adopted. A mark in the mount point
/// itself would make every node look dead once the disk is unmounted.
pub fn mark_storage(storage: &Path) -> io::Result<()> {
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(storage.join(MARKER))?;
    file.sync_all()
}

/// Removes the mark of a storage. Succeeds if it has none.
pub fn unmark_storage(storage: &Path) -> io::Result<()> {
    match std::fs::remove_file(storage.join(MARKER)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether a storage has the mark.
pub fn is_marked(storage: &Path) -> bool {
    storage.join(MARKER).is_file()
}

/// The state of every node's data directory. `Unknown` for all if the file system does not answer
/// in time.
pub async fn data_states(nodes: &[Node], storage: &Path) -> HashMap<NodeId, DataState> {
    let roots: Vec<(NodeId, PathBuf)> = nodes
        .iter()
        .map(|node| (node.id, node.root_dir.clone()))
        .collect();
    let storage = storage.to_owned();
    let looked = within(FILE_SYSTEM_DEADLINE, move || check(&roots, &storage)).await;
    looked.unwrap_or_else(|_| {
        let unknown = nodes.iter().map(|node| (node.id, DataState::Unknown));
        unknown.collect()
    })
}

fn check(roots: &[(NodeId, PathBuf)], storage: &Path) -> HashMap<NodeId, DataState> {
    // Many nodes share few parents.
    let mut checked_parents = HashMap::new();
    roots
        .iter()
        .map(|(id, root)| {
            let state = match std::fs::metadata(root) {
                Ok(entry) if entry.is_dir() => DataState::Present,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let parent = root.parent().unwrap_or(root);
                    let proven = *checked_parents
                        .entry(parent.to_owned())
                        .or_insert_with(|| proves_absence(parent, storage));
                    if proven && !is_link(root) {
                        DataState::Gone
                    } else {
                        DataState::Unknown
                    }
                }
                _ => DataState::Unknown,
            };
            (*id, state)
        })
        .collect()
}

/// Whether an entry missing from `parent` is really gone. True if `parent` is:
///
/// - a marked storage,
/// - a node's own directory in a marked storage, present or not, or
/// - another directory that is not empty, which an unmounted mount point usually is.
fn proves_absence(parent: &Path, storage: &Path) -> bool {
    let is_node_dir = parent
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| id_of(name).is_some());
    if parent.join(MARKER).is_file()
        || (is_node_dir && parent.parent() == Some(storage) && storage.join(MARKER).is_file())
    {
        return !is_link(parent);
    }
    let others = || std::fs::read_dir(parent).is_ok_and(|mut entries| entries.next().is_some());
    parent != storage && others()
}

/// Whether the path is a link, perhaps to an unmounted disk.
fn is_link(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|entry| entry.is_symlink())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(root: &Path, storage: &Path) -> DataState {
        let id = NodeId::FIRST;
        check(&[(id, root.to_owned())], storage)[&id]
    }

    #[test]
    fn a_node_is_dead_only_in_a_marked_storage() {
        let dir = tempfile::tempdir().unwrap();
        let storage = dir.path().join("node");
        let root = storage.join("antnode0001");
        assert_eq!(state(&root, &storage), DataState::Unknown, "no storage");
        std::fs::create_dir(&storage).unwrap();
        std::fs::write(storage.join("antnode0002"), "").unwrap();
        assert_eq!(state(&root, &storage), DataState::Unknown, "no mark");
        mark_storage(&storage).unwrap();
        mark_storage(&storage).unwrap();
        assert_eq!(state(&root, &storage), DataState::Gone);
        assert_eq!(
            state(&storage.join("disk2/antnode0001"), &storage),
            DataState::Unknown,
            "a disk below the storage"
        );
        std::fs::create_dir(&root).unwrap();
        assert_eq!(state(&root, &storage), DataState::Present);
    }

    #[test]
    fn a_nested_directory_can_be_gone_with_its_parent_or_alone() {
        let dir = tempfile::tempdir().unwrap();
        let storage = dir.path();
        let root = storage.join("antnode0007/antnode3");
        assert_eq!(state(&root, storage), DataState::Unknown, "no mark");
        mark_storage(storage).unwrap();
        assert_eq!(state(&root, storage), DataState::Gone, "both gone");
        std::fs::create_dir_all(&root).unwrap();
        assert_eq!(state(&root, storage), DataState::Present);
        std::fs::remove_dir(&root).unwrap();
        assert_eq!(state(&root, storage), DataState::Gone);
        std::fs::remove_dir(storage.join("antnode0007")).unwrap();
        std::os::unix::fs::symlink("/unmounted", storage.join("antnode0007")).unwrap();
        assert_eq!(state(&root, storage), DataState::Unknown, "a link");
    }

    #[test]
    fn outside_the_storage_a_parent_with_content_proves_absence() {
        let dir = tempfile::tempdir().unwrap();
        let storage = dir.path().join("node");
        let root = dir.path().join("disk/antnode0001");
        assert_eq!(state(&root, &storage), DataState::Unknown, "no parent");
        std::fs::create_dir(dir.path().join("disk")).unwrap();
        assert_eq!(
            state(&root, &storage),
            DataState::Unknown,
            "an empty parent"
        );
        std::fs::create_dir(dir.path().join("disk/antnode0002")).unwrap();
        assert_eq!(state(&root, &storage), DataState::Gone);
    }

    #[test]
    fn dangling_links_and_files_prove_nothing() {
        let dir = tempfile::tempdir().unwrap();
        mark_storage(dir.path()).unwrap();
        let root = dir.path().join("antnode0001");
        std::os::unix::fs::symlink(dir.path().join("unmounted/data"), &root).unwrap();
        assert_eq!(state(&root, dir.path()), DataState::Unknown);
        let file = dir.path().join("antnode0002");
        std::fs::write(&file, "").unwrap();
        assert_eq!(state(&file, dir.path()), DataState::Unknown);
        assert_eq!(state(&file.join("below"), dir.path()), DataState::Unknown);
    }
}
