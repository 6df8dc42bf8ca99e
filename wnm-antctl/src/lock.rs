//! Serialises calls of antctl among all wnm processes on this machine.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;
use wnm_core::manager::ManagerError;
use wnm_host::blocking;

use crate::layout::{Layout, Ownership};

/// Longer than any call that is not itself about to time out.
const TIMEOUT: Duration = Duration::from_secs(180);

/// How often to try. The kernel offers no wait for such a lock with a deadline.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The right to call antctl. Held until dropped or until the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct CallLock {
    _directory: File,
}

impl CallLock {
    /// Waits for the lock. It is a kernel lock on the registry's directory, which everyone who may use the
    /// registry can open: root, and a user who becomes root for each call.
    pub async fn acquire(layout: &Layout) -> Result<Self, ManagerError> {
        Self::acquire_within(layout, TIMEOUT).await
    }

    async fn acquire_within(layout: &Layout, patience: Duration) -> Result<Self, ManagerError> {
        let for_open = layout.clone();
        let directory = blocking(move || open(&for_open)).await?;
        let end = Instant::now() + patience;
        loop {
            match directory.try_lock() {
                Ok(()) => {
                    return Ok(Self {
                        _directory: directory,
                    });
                }
                Err(TryLockError::WouldBlock) if Instant::now() < end => {
                    tokio::time::sleep(POLL_INTERVAL).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(ManagerError::Unreachable {
                        supervisor: "antctl".to_owned(),
                        reason: "another wnm keeps calling it; try again later".to_owned(),
                    });
                }
                Err(TryLockError::Error(source)) => {
                    let what = format!("locking {}", layout.directory().display());
                    return Err(ManagerError::io(what, source));
                }
            }
        }
    }
}

/// Opens the directory to lock. It does not exist before antctl's first call: creates a user's, and for the
/// machine's uses the nearest existing parent.
fn open(layout: &Layout) -> Result<File, ManagerError> {
    let mut directory = layout.directory();
    if layout.ownership == Ownership::User {
        let made = std::fs::create_dir_all(directory);
        made.map_err(|source| failed("making", directory, source))?;
    }
    loop {
        match (File::open(directory), directory.parent()) {
            (Ok(file), _) => return Ok(file),
            (Err(error), Some(above)) if error.kind() == ErrorKind::NotFound => directory = above,
            (Err(source), _) => return Err(failed("opening", directory, source)),
        }
    }
}

fn failed(what: &str, path: &Path, source: std::io::Error) -> ManagerError {
    ManagerError::io(format!("{what} {}", path.display()), source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_caller_waits_for_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout {
            ownership: Ownership::User,
            registry: dir.path().join("autonomi/node/node_registry.json"),
            unit_dir: dir.path().join("units"),
        };
        let first = CallLock::acquire(&layout).await.unwrap();
        let error = CallLock::acquire_within(&layout, Duration::ZERO)
            .await
            .unwrap_err();
        assert!(error.leaves_it_open(), "{error}");
        let waiting = tokio::spawn({
            let layout = layout.clone();
            async move { CallLock::acquire(&layout).await.is_ok() }
        });
        drop(first);
        assert!(waiting.await.unwrap());
    }
}
