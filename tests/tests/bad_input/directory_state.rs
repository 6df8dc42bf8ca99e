//! A record of everything below a directory, to compare with a later one.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Files with their bytes and modes, directories, links.
#[derive(PartialEq, Eq)]
pub struct DirectoryState(BTreeMap<PathBuf, Entry>);

#[derive(Debug, PartialEq, Eq)]
enum Entry {
    File {
        mode: u32,
        bytes: Vec<u8>,
    },
    Directory {
        mode: u32,
    },
    Link(PathBuf),
    Other,
    /// A lock's file names its last holder, for people.
    Lock,
}

impl DirectoryState {
    /// Records the directory as it is now, but for the logs and data that running nodes write meanwhile.
    pub fn of(dir: &Path) -> Self {
        let mut entries = BTreeMap::new();
        look(dir, &mut entries);
        Self(entries)
    }

    /// Fails the test with the names of what is new, missing or different. Files that SQLite left for the test's own
    /// queries may disappear.
    #[track_caller]
    pub fn assert_same_as(&self, before: &Self) {
        let paths: Vec<&PathBuf> = self
            .0
            .keys()
            .chain(before.0.keys())
            .filter(|path| self.0.get(*path) != before.0.get(*path))
            .filter(|path| !(is_of_sqlite(path) && before.0.contains_key(*path)))
            .collect();
        assert!(paths.is_empty(), "new, gone or different: {paths:#?}");
    }
}

fn look(dir: &Path, entries: &mut BTreeMap<PathBuf, Entry>) {
    for entry in fs::read_dir(dir).expect("a directory cannot be read") {
        let path = entry.expect("an entry cannot be read").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let metadata = path.symlink_metadata().expect("an entry is gone");
        let (kind, mode) = (metadata.file_type(), metadata.permissions().mode());
        let entry = if kind.is_dir() {
            if !name.starts_with("antnode0") {
                look(&path, entries);
            }
            Entry::Directory { mode }
        } else if kind.is_symlink() {
            Entry::Link(fs::read_link(&path).expect("a link cannot be read"))
        } else if kind.is_fifo() || kind.is_socket() {
            Entry::Other
        } else if name.ends_with(".lock") {
            Entry::Lock
        } else {
            let bytes = fs::read(&path).expect("a file cannot be read");
            Entry::File { mode, bytes }
        };
        entries.insert(path, entry);
    }
}

fn is_of_sqlite(path: &Path) -> bool {
    let name = path.to_string_lossy();
    name.ends_with("-wal") || name.ends_with("-shm")
}
