//! Files written whole, and directories deleted only where they are wnm's.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::Builder;
use thiserror::Error;

use wnm_core::fault;

/// Why a path was not deleted.
#[derive(Debug, Error)]
pub enum DeleteError {
    /// It is not a directory that wnm made below `base`.
    #[error("{} is not deleted: {reason}", path.display())]
    Refused {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file system refused.
    #[error("cannot delete {}: {source}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Writes a file so that a reader sees the old content or the new and never a part, also after a power cut:
/// a temporary file beside it, synced, renamed over it.
pub fn write_whole(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let dir = path
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let permissions = std::fs::Permissions::from_mode(mode);
    let mut file = Builder::new()
        .permissions(permissions.clone())
        .tempfile_in(dir)?;
    file.write_all(content)?;
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    std::fs::File::open(dir)?.sync_all()
}

/// Copies a program so that the copy appears whole and executable, and a running copy is never written to.
///
/// Until it is whole it has the name [`unfinished`]. What a crash left under that name is replaced by the next
/// copy. The caller sees to it that one program is copied to a place at a time.
pub fn install_program(from: &Path, to: &Path) -> io::Result<()> {
    let dir = to
        .parent()
        .ok_or_else(|| io::Error::other("a program needs a directory"))?;
    let mut source = std::fs::File::open(from)?;
    let beside = unfinished(to);
    let installed = copy_anew(&mut source, &beside).and_then(|()| {
        fault::point("files.install.copied");
        std::fs::rename(&beside, to)
    });
    if let Err(error) = installed {
        // The failure to tell is the first one; there may not even be a file.
        let _ = std::fs::remove_file(&beside);
        return Err(error);
    }
    std::fs::File::open(dir)?.sync_all()
}

/// Where a program that is to be at `to` is put together. A fixed name, so that what a crash leaves there is
/// found again and does not pile up.
pub fn unfinished(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Copies into a file of its own making: whatever has the name is removed and never written to, as it may be a
/// link that the account of a node made.
fn copy_anew(source: &mut std::fs::File, to: &Path) -> io::Result<()> {
    match std::fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = std::fs::File::create_new(to)?;
    io::copy(source, &mut file)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o755))?;
    file.sync_all()
}

/// The file of that name with something put after it.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Whether two files hold the same bytes.
pub fn same_content(one: &Path, other: &Path) -> io::Result<bool> {
    if std::fs::metadata(one)?.len() != std::fs::metadata(other)?.len() {
        return Ok(false);
    }
    let mut one = BufReader::new(std::fs::File::open(one)?);
    let mut other = BufReader::new(std::fs::File::open(other)?);
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let common = left.len().min(right.len());
        if common == 0 {
            return Ok(left.is_empty() && right.is_empty());
        }
        if left[..common] != right[..common] {
            return Ok(false);
        }
        one.consume(common);
        other.consume(common);
    }
}

/// Whether there is a directory `base/name` that may be deleted: `false` when it is gone already, refused
/// unless `name` is a plain name and the entry a real directory.
pub fn is_deletable(base: &Path, name: &str) -> Result<bool, DeleteError> {
    let path = base.join(name);
    let refused = |reason| DeleteError::Refused {
        path: path.clone(),
        reason,
    };
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
        return Err(refused("its name is not a plain one"));
    }
    match std::fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(DeleteError::Io { path, source }),
        Ok(entry) if entry.is_symlink() => Err(refused("it is a symbolic link")),
        Ok(entry) if !entry.is_dir() => Err(refused("it is not a directory")),
        Ok(_) => Ok(true),
    }
}

/// Deletes `base/name` with everything in it, if [`is_deletable`]. What is gone already is a success.
/// Symbolic links, in the path's last part or inside, are never followed.
pub fn delete_directory(base: &Path, name: &str) -> Result<(), DeleteError> {
    if !is_deletable(base, name)? {
        return Ok(());
    }
    let path = base.join(name);
    // The standard library walks by directory handle and does not follow links that are swapped in.
    match std::fs::remove_dir_all(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(DeleteError::Io { path, source }),
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_with_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("unit");
        write_whole(&path, b"first", 0o600).unwrap();
        write_whole(&path, b"second", 0o644).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o644
        );
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_program_replaces_what_a_crash_left_and_writes_through_no_link() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("source"), b"program").unwrap();
        std::fs::write(path("precious"), b"p").unwrap();
        std::fs::write(path("copy.new"), b"pro").unwrap();
        install_program(&path("source"), &path("copy")).unwrap();
        std::os::unix::fs::symlink(path("precious"), path("copy.new")).unwrap();
        install_program(&path("source"), &path("copy")).unwrap();
        assert_eq!(std::fs::read(path("copy")).unwrap(), b"program");
        assert_eq!(std::fs::read(path("precious")).unwrap(), b"p");
        let entry = std::fs::symlink_metadata(path("copy")).unwrap();
        assert!(entry.is_file());
        assert_eq!(entry.permissions().mode() & 0o777, 0o755);
        std::fs::create_dir(path("taken")).unwrap();
        install_program(&path("source"), &path("taken")).unwrap_err();
        let names = std::fs::read_dir(dir.path()).unwrap();
        assert_eq!(names.count(), 4, "source, precious, copy, taken");
    }

    #[test]
    fn links_and_foreign_names_are_not_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let precious = dir.path().join("precious");
        std::fs::create_dir(&precious).unwrap();
        std::fs::write(precious.join("key"), b"k").unwrap();
        let base = dir.path().join("nodes");
        std::fs::create_dir(&base).unwrap();
        std::os::unix::fs::symlink(&precious, base.join("antnode0001")).unwrap();
        std::fs::write(base.join("file"), b"").unwrap();
        for name in ["antnode0001", "file", "..", ".", "", "a/b", "../precious"] {
            let refused = delete_directory(&base, name);
            assert!(
                matches!(refused, Err(DeleteError::Refused { .. })),
                "{name}: {refused:?}"
            );
        }
        let own = base.join("antnode0002");
        std::fs::create_dir(&own).unwrap();
        std::os::unix::fs::symlink(&precious, own.join("inner")).unwrap();
        delete_directory(&base, "antnode0002").unwrap();
        delete_directory(&base, "antnode0002").unwrap();
        assert!(!own.exists());
        assert_eq!(std::fs::read(precious.join("key")).unwrap(), b"k");
    }

    /// Someone who may write in the storage swaps a node's directory for a link while it is deleted.
    #[test]
    fn a_directory_that_is_swapped_for_a_link_leads_nowhere() {
        use std::sync::atomic::Ordering::Relaxed;
        let dir = tempfile::tempdir().unwrap();
        let precious = dir.path().join("precious");
        std::fs::create_dir(&precious).unwrap();
        let key = precious.join("key");
        std::fs::write(&key, b"k").unwrap();
        let base = dir.path().join("nodes");
        let node = base.join("antnode0001");
        std::fs::create_dir(&base).unwrap();
        let over = std::sync::atomic::AtomicBool::new(false);
        let swapped = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let aside = base.join("aside");
                while !over.load(Relaxed) {
                    // Each may fail, since the other side deletes at the same time.
                    if std::fs::rename(&node, &aside).is_ok() {
                        std::os::unix::fs::symlink(&precious, &node).ok();
                        swapped.fetch_add(1, Relaxed);
                        std::fs::remove_file(&node).ok();
                        std::fs::remove_dir_all(&aside).ok();
                    }
                }
            });
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
            while swapped.load(Relaxed) < 200 && std::time::Instant::now() < deadline {
                std::fs::create_dir_all(node.join("record_store")).ok();
                std::fs::write(node.join("secret-key"), b"s").ok();
                delete_directory(&base, "antnode0001").ok();
            }
            over.store(true, Relaxed);
        });
        assert!(swapped.into_inner() > 0, "nothing was swapped");
        assert_eq!(std::fs::read(&key).unwrap(), b"k");
    }
}
