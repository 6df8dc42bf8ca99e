//! Which nodes still have their directory. A disk that is not mounted must not look like five hundred dead
//! nodes, so a missing directory counts as gone only where its surroundings prove that they are the right
//! ones.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use super::deadline::{FILE_SYSTEM_DEADLINE, within};
use wnm_core::id::NodeId;
use wnm_core::node::DataState;
use wnm_core::node::Node;
use wnm_host::layout::id_of;

/// File that tells a node storage from the empty directory that its disk is mounted on.
const MARKER: &str = ".wnm";

/// Marks a directory as a node storage. To be done when a storage is made or nodes in it are adopted, and
/// never in passing: a mark below a mount point would make every node look dead once the disk is gone.
pub fn mark_storage(storage: &Path) -> io::Result<()> {
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(storage.join(MARKER))?;
    file.sync_all()
}

/// Takes the mark away again. A storage that has none is as it should be.
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

/// Looks for the directory of every node. What cannot be told within a deadline is unknown.
pub async fn root_states(nodes: &[Node], storage: &Path) -> HashMap<NodeId, DataState> {
    let roots: Vec<(NodeId, PathBuf)> = nodes
        .iter()
        .map(|node| (node.id, node.root_dir.clone()))
        .collect();
    let storage = storage.to_owned();
    let looked = within(FILE_SYSTEM_DEADLINE, move || look(&roots, &storage)).await;
    looked.unwrap_or_else(|_| {
        let unknown = nodes.iter().map(|node| (node.id, DataState::Unknown));
        unknown.collect()
    })
}

fn look(roots: &[(NodeId, PathBuf)], storage: &Path) -> HashMap<NodeId, DataState> {
    // The same few parents again and again.
    let mut vouchers = HashMap::new();
    roots
        .iter()
        .map(|(id, root)| {
            let state = match std::fs::metadata(root) {
                Ok(entry) if entry.is_dir() => DataState::Present,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let parent = root.parent().unwrap_or(root);
                    let vouched = *vouchers
                        .entry(parent.to_owned())
                        .or_insert_with(|| vouches(parent, storage));
                    if vouched && !is_link(root) {
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

/// Whether what is missing from this directory is gone: it is a marked storage, or a node's own directory in one,
/// which may be gone too, or a directory that wnm never marked and that holds something, which the one below a mount
/// point as a rule does not.
fn vouches(parent: &Path, storage: &Path) -> bool {
    let of_a_node = parent
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| id_of(name).is_some());
    if parent.join(MARKER).is_file()
        || (of_a_node && parent.parent() == Some(storage) && storage.join(MARKER).is_file())
    {
        return !is_link(parent);
    }
    let others = || std::fs::read_dir(parent).is_ok_and(|mut entries| entries.next().is_some());
    parent != storage && others()
}

/// A link that leads nowhere: to a disk that is not mounted.
fn is_link(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|entry| entry.is_symlink())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(root: &Path, storage: &Path) -> DataState {
        let id = NodeId::FIRST;
        look(&[(id, root.to_owned())], storage)[&id]
    }

    #[test]
    fn only_a_marked_storage_lets_a_node_be_dead() {
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
    fn a_directory_in_a_nodes_own_is_gone_with_it_or_without() {
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
    fn elsewhere_a_directory_that_holds_something_vouches() {
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
    fn links_that_lead_nowhere_and_files_in_the_way_prove_nothing() {
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
