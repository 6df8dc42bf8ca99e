//! Calls of antctl that wnm did not make: a person's, or one that outlived the wnm that made it. antctl knows no
//! lock, and two calls at once lose what one of them did, so these are waited for.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use wnm_core::manager::ManagerError;
use wnm_host::blocking;

use crate::place::{Domain, Place};

/// Longer than a start, which is the longest call that ends by itself. What is still there then hangs on a node that
/// hangs, and may do so for ever.
const PATIENCE: Duration = Duration::from_secs(20);

/// Between two looks at the process table, which tells nobody of its changes.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The kernel keeps so much of a program's name.
const NAME_LENGTH: usize = 15;

/// Who else may be at a registry.
#[derive(Debug)]
pub(crate) struct Others {
    table: PathBuf,
    name: OsString,
    place: Place,
    /// Those that were waited for in vain.
    hanging: Mutex<HashSet<u32>>,
}

impl Others {
    /// Those that run a program called like `program`.
    pub fn at(place: Place, program: &Path) -> Self {
        Self {
            table: PathBuf::from("/proc"),
            name: program.file_name().unwrap_or_default().to_owned(),
            place,
            hanging: Mutex::default(),
        }
    }

    /// Waits until nobody else is at the registry, as long as that is of use.
    pub async fn end(&self) -> Result<(), ManagerError> {
        let end = Instant::now() + PATIENCE;
        loop {
            let there = self.there().await?;
            if there.is_empty() {
                return Ok(());
            }
            if Instant::now() >= end {
                tracing::warn!(pids = ?there, "antctl was called by hand and does not end");
                let mut hanging = self.hanging.lock().unwrap_or_else(PoisonError::into_inner);
                hanging.extend(there);
                return Ok(());
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    async fn there(&self) -> Result<Vec<u32>, ManagerError> {
        let (table, name, place) = (self.table.clone(), self.name.clone(), self.place.clone());
        let mut there = blocking(move || Ok(callers(&table, &name, &place))).await?;
        let hanging = self.hanging.lock().unwrap_or_else(PoisonError::into_inner);
        there.retain(|pid| !hanging.contains(pid));
        Ok(there)
    }
}

/// The processes at a registry. Where there is no process table of that form nobody is seen.
fn callers(table: &Path, name: &OsStr, place: &Place) -> Vec<u32> {
    let wanted = &name.as_bytes()[..name.len().min(NAME_LENGTH)];
    let account = match place.domain {
        Domain::System => 0,
        Domain::User => nix::unistd::geteuid().as_raw(),
    };
    let entries = std::fs::read_dir(table).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let comm = std::fs::read(entry.path().join("comm")).ok()?;
            let is_called_so = comm.strip_suffix(b"\n") == Some(wanted);
            (is_called_so && entry.metadata().ok()?.uid() == account && is_at(&entry.path(), place))
                .then_some(pid)
        })
        .collect()
}

/// Whether a process that runs uses this registry. Root has one only.
fn is_at(process: &Path, place: &Place) -> bool {
    if place.domain == Domain::System {
        return true;
    }
    // The environment of one that has ended is empty.
    let Ok(environment) = std::fs::read(process.join("environ")) else {
        return false;
    };
    let value = |name: &str| {
        environment.split(|&byte| byte == 0).find_map(|pair| {
            let value = pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
            Some(OsStr::from_bytes(value).to_owned())
        })
    };
    Place::user(&value).is_some_and(|other| other.registry == place.registry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_at_the_same_registry_count() {
        let dir = tempfile::tempdir().unwrap();
        let process = |pid: u32, comm: &str, environ: &str| {
            let process = dir.path().join(pid.to_string());
            std::fs::create_dir(&process).unwrap();
            std::fs::write(process.join("comm"), format!("{comm}\n")).unwrap();
            std::fs::write(process.join("environ"), environ).unwrap();
        };
        process(7, "antctl", "PATH=/bin\0XDG_DATA_HOME=/d\0HOME=/h\0");
        process(8, "antctl", "XDG_DATA_HOME=/e\0");
        process(9, "antnode", "XDG_DATA_HOME=/d\0");
        process(10, "antctl", "");
        std::fs::create_dir(dir.path().join("self")).unwrap();
        let place = Place {
            domain: Domain::User,
            registry: "/d/autonomi/node/node_registry.json".into(),
            unit_dir: "/u".into(),
        };
        let seen = callers(dir.path(), OsStr::new("antctl"), &place);
        assert_eq!(seen, [7]);
        assert!(callers(&dir.path().join("none"), OsStr::new("antctl"), &place).is_empty());
    }
}
