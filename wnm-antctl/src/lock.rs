//! One call of antctl at a time, among all processes of wnm on this machine.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;
use wnm_core::manager::ManagerError;
use wnm_host::blocking;

use crate::place::{Domain, Place};

/// Longer than any call that is not itself about to be given up.
const PATIENCE: Duration = Duration::from_secs(180);

/// Between two tries. The kernel tells nobody when such a lock becomes free to a process that has a deadline.
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// The right to call antctl, until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Turn {
    _directory: File,
}

impl Turn {
    /// Waits for the turn. It is a kernel lock on the directory of the registry, which whoever may use that
    /// registry can open: root, and a person who becomes root for each call.
    pub async fn take(place: &Place) -> Result<Self, ManagerError> {
        Self::take_within(place, PATIENCE).await
    }

    async fn take_within(place: &Place, patience: Duration) -> Result<Self, ManagerError> {
        let wanted = place.clone();
        let directory = blocking(move || open(&wanted)).await?;
        let end = Instant::now() + patience;
        loop {
            match directory.try_lock() {
                Ok(()) => {
                    return Ok(Self {
                        _directory: directory,
                    });
                }
                Err(TryLockError::WouldBlock) if Instant::now() < end => {
                    tokio::time::sleep(BETWEEN_TRIES).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(ManagerError::Unreachable {
                        supervisor: "antctl".to_owned(),
                        reason: "another wnm has been calling it all the time".to_owned(),
                    });
                }
                Err(TryLockError::Error(source)) => {
                    let what = format!("locking {}", place.directory().display());
                    return Err(ManagerError::io(what, source));
                }
            }
        }
    }
}

/// The directory to lock. Before antctl was ever called it is not there: a user's is made, since it is the user's
/// own, and for the machine's the nearest one above it stands in.
fn open(place: &Place) -> Result<File, ManagerError> {
    let mut directory = place.directory();
    if place.domain == Domain::User {
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
        let place = Place {
            domain: Domain::User,
            registry: dir.path().join("autonomi/node/node_registry.json"),
            unit_dir: dir.path().join("units"),
        };
        let first = Turn::take(&place).await.unwrap();
        let refused = Turn::take_within(&place, Duration::ZERO).await.unwrap_err();
        assert!(refused.leaves_it_open(), "{refused}");
        let waiting = tokio::spawn({
            let place = place.clone();
            async move { Turn::take(&place).await.is_ok() }
        });
        drop(first);
        assert!(waiting.await.unwrap());
    }
}
