//! The database as a file: its kind, its permissions, and consistent copies.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::StoreError;
use wnm_host::files::beside;

/// The first bytes of every SQLite database (<https://sqlite.org/fileformat.html>, section 1.3).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Offset of the byte that is 2 if readers use the write-ahead log.
const READ_VERSION: usize = 19;

/// How often to retry a copy because another program wrote meanwhile. wnm commits a few times per
/// cycle, for milliseconds, so a second attempt nearly always succeeds.
const COPY_ATTEMPTS: u32 = 20;

/// What kind of file is at the path of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// A file of no bytes. SQLite treats it as an empty database.
    Empty,
    /// An SQLite database.
    Database {
        /// Whether it uses a write-ahead log.
        wal: bool,
    },
}

/// Tells the kind of a file by its first bytes.
pub(super) fn kind(path: &Path) -> Result<FileKind, StoreError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => StoreError::Missing(path.to_owned()),
        _ => StoreError::Unreadable {
            path: path.to_owned(),
            source,
        },
    };
    let file = fs::File::open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(StoreError::NotADatabase(path.to_owned()));
    }
    let mut head = Vec::new();
    file.take(100).read_to_end(&mut head).map_err(unreadable)?;
    match head.get(READ_VERSION) {
        _ if head.is_empty() => Ok(FileKind::Empty),
        Some(version) if head.starts_with(MAGIC) => Ok(FileKind::Database { wal: *version == 2 }),
        _ => Err(StoreError::NotADatabase(path.to_owned())),
    }
}

/// The directory that contains a path.
pub(super) fn directory_of(path: &Path) -> &Path {
    path.parent()
        .filter(|directory| !directory.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Whether the file has no write permission for anyone. Checked separately because permissions do
/// not stop root, but whoever removed them wanted the file protected.
pub(super) fn is_write_protected(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.permissions().readonly())
}

/// Whether this process may write the file and create others beside it.
pub(super) fn is_writable(path: &Path) -> bool {
    let may_write = |path: &Path| nix::unistd::access(path, nix::unistd::AccessFlags::W_OK).is_ok();
    !is_write_protected(path) && may_write(path) && may_write(directory_of(path))
}

/// Copies a database with its log or journal to a temporary directory. Starts again if any of the
/// files changed meanwhile. Takes no lock and writes nothing beside the original.
///
/// Returns the directory and the path of the copy in it.
pub(super) fn copy_to_temp(path: &Path) -> io::Result<(TempDir, PathBuf)> {
    let directory = tempfile::tempdir()?;
    let copy = directory.path().join("colony.db");
    for _ in 0..COPY_ATTEMPTS {
        let before = fingerprints(path)?;
        for suffix in PARTS {
            let target = beside(&copy, suffix);
            match fs::copy(beside(path, suffix), &target) {
                Ok(_) => make_writable(&target)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound && !suffix.is_empty() => {
                    remove_if_exists(&target)?;
                }
                Err(error) => return Err(error),
            }
        }
        if fingerprints(path)? == before {
            return Ok((directory, copy));
        }
    }
    Err(io::Error::new(
        io::ErrorKind::ResourceBusy,
        "the file kept changing during the copy",
    ))
}

/// Suffixes of the files of a database: the file itself, its write-ahead log, its rollback journal.
const PARTS: [&str; 3] = ["", "-wal", "-journal"];

/// Metadata that changes when a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fingerprint {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

fn fingerprints(path: &Path) -> io::Result<[Option<Fingerprint>; 3]> {
    let mut files = [None; 3];
    for (slot, suffix) in files.iter_mut().zip(PARTS) {
        *slot = match fs::metadata(beside(path, suffix)) {
            Ok(file) => Some(Fingerprint {
                inode: file.ino(),
                size: file.size(),
                modified: (file.mtime(), file.mtime_nsec()),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
    }
    Ok(files)
}

/// Makes a copy writable. It inherits the permissions of the original, which may be read-only.
fn make_writable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

fn remove_if_exists(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
