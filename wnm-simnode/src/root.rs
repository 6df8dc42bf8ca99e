//! The node's root directory and the files in it.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::identity::{Identity, KEY_LENGTH};

/// A prepared root directory.
pub(crate) struct RootDir {
    pub path: PathBuf,
    pub identity: Identity,
    /// When the key file was created. The node's age counts from there, as a manager counts it.
    pub created_at: SystemTime,
}

impl RootDir {
    /// Opens the directory and creates what is missing in it. With `None`, the directory is in the user's data
    /// directory and has the peer ID as its name, as for the real node.
    pub(crate) fn open(dir: Option<&Path>) -> io::Result<Self> {
        let (dir, identity) = match dir {
            Some(dir) => {
                fs::create_dir_all(dir)?;
                (dir.to_owned(), read_or_create_key(dir)?)
            }
            None => {
                let identity = Identity::new(random_key()?);
                let home = std::env::var_os("HOME")
                    .ok_or_else(|| io::Error::other("HOME is not set; pass --root-dir"))?;
                let dir = Path::new(&home)
                    .join(".local/share/autonomi/node")
                    .join(identity.peer_id());
                fs::create_dir_all(&dir)?;
                (dir, identity)
            }
        };
        fs::create_dir_all(dir.join("record_store"))?;
        let created_at = match fs::metadata(dir.join("secret-key")) {
            Ok(key) => key.modified()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => SystemTime::now(),
            Err(error) => return Err(error),
        };
        for (name, content) in [
            ("network_key_version", &b"1"[..]),
            ("historic_quoting_metrics", b""),
        ] {
            if !dir.join(name).try_exists()? {
                fs::write(dir.join(name), content)?;
            }
        }
        // The file outlives the process, so it names the latest process, not a running one.
        fs::write(dir.join("antnode.pid"), std::process::id().to_string())?;
        Ok(Self {
            path: dir,
            identity,
            created_at,
        })
    }
}

fn read_or_create_key(dir: &Path) -> io::Result<Identity> {
    let path = dir.join("secret-key");
    match fs::read(&path) {
        Ok(bytes) => match bytes.try_into() {
            Ok(key) => Ok(Identity::new(key)),
            Err(_) => Err(io::Error::other(format!(
                "{} is not {KEY_LENGTH} bytes long",
                path.display()
            ))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = random_key()?;
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)?
                .write_all(&key)?;
            Ok(Identity::new(key))
        }
        Err(error) => Err(error),
    }
}

fn random_key() -> io::Result<[u8; KEY_LENGTH]> {
    let mut key = [0; KEY_LENGTH];
    fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn first_start_creates_all_files_and_next_start_keeps_them() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path().join("nodes/antnode0001");
        let first = RootDir::open(Some(&dir)).unwrap();
        let second = RootDir::open(Some(&dir)).unwrap();
        assert_eq!(first.identity, second.identity);
        assert_eq!(first.created_at, second.created_at);
        let key = fs::metadata(dir.join("secret-key")).unwrap();
        assert_eq!((key.len(), key.permissions().mode() & 0o777), (32, 0o600));
        let mut names: Vec<_> = fs::read_dir(&dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "antnode.pid",
                "historic_quoting_metrics",
                "network_key_version",
                "record_store",
                "secret-key"
            ]
        );
        let pid = fs::read_to_string(dir.join("antnode.pid")).unwrap();
        assert_eq!(pid, std::process::id().to_string());
    }

    #[test]
    fn invalid_key_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("secret-key"), b"short").unwrap();
        assert!(RootDir::open(Some(dir.path())).is_err());
        assert_eq!(fs::read(dir.path().join("secret-key")).unwrap(), b"short");
    }
}
