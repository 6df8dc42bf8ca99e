//! Waits for calls of antctl that wnm did not make: an operator's, or one that outlived the wnm that made it.
//! antctl takes no lock, and of two concurrent calls one loses its changes.

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

use crate::layout::{Layout, Ownership};

/// Longer than a start, the longest call that ends by itself. A call that takes longer waits for a hung node
/// and may never end.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How often to read the process table, which reports no changes.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The kernel keeps this much of a program's name.
const NAME_LENGTH: usize = 15;

/// Other processes that may use the registry.
#[derive(Debug)]
pub(crate) struct OtherCallers {
    table: PathBuf,
    name: OsString,
    layout: Layout,
    /// Pids of calls that did not end within the timeout; no longer waited for.
    hanging: Mutex<HashSet<u32>>,
}

impl OtherCallers {
    /// Watches for processes whose program is named like `program`.
    pub fn new(layout: Layout, program: &Path) -> Self {
        Self {
            table: PathBuf::from("/proc"),
            name: program.file_name().unwrap_or_default().to_owned(),
            layout,
            hanging: Mutex::default(),
        }
    }

    /// Waits until no one else uses the registry, or until the timeout.
    pub async fn wait(&self) -> Result<(), ManagerError> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let active = self.active().await?;
            if active.is_empty() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                tracing::warn!(pids = ?active, "a call of antctl by hand does not end");
                let mut hanging = self.hanging.lock().unwrap_or_else(PoisonError::into_inner);
                hanging.extend(active);
                return Ok(());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    async fn active(&self) -> Result<Vec<u32>, ManagerError> {
        let (table, name, layout) = (self.table.clone(), self.name.clone(), self.layout.clone());
        let mut active = blocking(move || Ok(find_callers(&table, &name, &layout))).await?;
        let hanging = self.hanging.lock().unwrap_or_else(PoisonError::into_inner);
        active.retain(|pid| !hanging.contains(pid));
        Ok(active)
    }
}

/// Pids of the processes that use the registry. Finds none on systems without `/proc`.
fn find_callers(table: &Path, name: &OsStr, layout: &Layout) -> Vec<u32> {
    let wanted = &name.as_bytes()[..name.len().min(NAME_LENGTH)];
    let account = match layout.ownership {
        Ownership::System => 0,
        Ownership::User => nix::unistd::geteuid().as_raw(),
    };
    let entries = std::fs::read_dir(table).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let comm = std::fs::read(entry.path().join("comm")).ok()?;
            let has_name = comm.strip_suffix(b"\n") == Some(wanted);
            (has_name
                && entry.metadata().ok()?.uid() == account
                && uses_registry(&entry.path(), layout))
            .then_some(pid)
        })
        .collect()
}

/// Whether a running process uses this registry. Root has only one.
fn uses_registry(process: &Path, layout: &Layout) -> bool {
    if layout.ownership == Ownership::System {
        return true;
    }
    // An exited process has an empty environment.
    let Ok(environment) = std::fs::read(process.join("environ")) else {
        return false;
    };
    let value = |name: &str| {
        environment.split(|&byte| byte == 0).find_map(|pair| {
            let value = pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
            Some(OsStr::from_bytes(value).to_owned())
        })
    };
    Layout::user(&value).is_some_and(|other| other.registry == layout.registry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_callers_of_the_same_registry_count() {
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
        let layout = Layout {
            ownership: Ownership::User,
            registry: "/d/autonomi/node/node_registry.json".into(),
            unit_dir: "/u".into(),
        };
        let seen = find_callers(dir.path(), OsStr::new("antctl"), &layout);
        assert_eq!(seen, [7]);
        assert!(find_callers(&dir.path().join("none"), OsStr::new("antctl"), &layout).is_empty());
    }
}
