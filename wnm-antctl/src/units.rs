//! Completes what antctl does to its units only halfway.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use wnm_core::command::{CommandRunner, CommandSpec};
use wnm_core::manager::ManagerError;
use wnm_host::blocking;
use wnm_host::command::WithRoot;
use wnm_host::files::Files;

use crate::client::runtime_directory;
use crate::layout::{Layout, Ownership};
use crate::output;
use crate::registry::Service;

/// Limit for a systemctl call on one unit. Stopping may take as long as systemd allows.
const DEADLINE: Duration = Duration::from_secs(120);

/// Larger than any unit that antctl writes.
const MAX_UNIT_BYTES: u64 = 256 * 1024;

/// The units of one antctl installation.
pub(crate) struct Units {
    layout: Layout,
    runner: Arc<dyn CommandRunner>,
    files: Arc<dyn Files>,
}

impl Units {
    pub fn new(layout: Layout, runner: Arc<dyn CommandRunner>, files: Arc<dyn Files>) -> Self {
        Self {
            layout,
            runner,
            files,
        }
    }

    /// Path of the service's unit.
    pub fn path(&self, service: &str) -> PathBuf {
        self.layout.unit_dir.join(format!("{service}.service"))
    }

    /// Whether the unit exists, or anything else at its path.
    pub fn exists(&self, service: &str) -> bool {
        std::fs::symlink_metadata(self.path(service)).is_ok()
    }

    /// Whether the service starts at boot. Without systemd none does.
    pub async fn is_enabled(&self, service: &str) -> bool {
        let unit = format!("{service}.service");
        let result = self.systemctl(&["is-enabled", &unit]).await;
        result.is_ok_and(|text| text.trim() == "enabled")
    }

    /// Has the service start at boot. Adds the `[Install]` section, which antctl omits when it upgrades.
    pub async fn enable(&self, service: &str) -> Result<(), ManagerError> {
        let path = self.path(service);
        let text = read(path.clone()).await?;
        if !text.lines().any(|line| line.trim() == "[Install]") {
            let target = match self.layout.ownership {
                Ownership::System => "multi-user.target",
                Ownership::User => "default.target",
            };
            let text = format!("{}\n\n[Install]\nWantedBy={target}\n", text.trim_end());
            self.files.write(&path, &text).await?;
        }
        let unit = format!("{service}.service");
        self.systemctl(&["enable", &unit]).await.map(drop)
    }

    /// Clears earlier start failures, for which systemd would refuse a start, even those of another service
    /// with the same name. Having nothing to clear is not an error.
    pub async fn reset_failed(&self, service: &str) {
        let unit = format!("{service}.service");
        if let Err(error) = self.systemctl(&["reset-failed", &unit]).await {
            tracing::debug!(unit, %error, "no failed start to reset");
        }
    }

    /// Ensures that the unit exists. antctl refuses to replace or remove a service without one, as after a call
    /// that was interrupted between deleting the old unit and writing the new one.
    pub async fn ensure_exists(&self, service: &Service) -> Result<(), ManagerError> {
        if self.exists(&service.name) {
            return Ok(());
        }
        let text = format!(
            "[Unit]\nDescription={}\n[Service]\nExecStart={}\n",
            service.name,
            service.program.display()
        );
        self.files.write(&self.path(&service.name), &text).await
    }

    /// Names of the services whose unit runs a node below `directory`, whether or not antctl knows them.
    pub async fn names_below(&self, directory: &Path) -> Result<Vec<String>, ManagerError> {
        let (units, wanted) = (self.layout.unit_dir.clone(), directory.to_owned());
        blocking(move || {
            let entries = match std::fs::read_dir(&units) {
                Ok(entries) => entries,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
                Err(source) => {
                    return Err(ManagerError::io(
                        format!("reading {}", units.display()),
                        source,
                    ));
                }
            };
            let mut names = Vec::new();
            for entry in entries.flatten() {
                let file = entry.file_name();
                let name = file.to_str().and_then(|name| name.strip_suffix(".service"));
                let Some(name) = name.filter(|name| output::is_service_name(name)) else {
                    continue;
                };
                let small = std::fs::metadata(entry.path())
                    .is_ok_and(|file| file.is_file() && file.len() <= MAX_UNIT_BYTES);
                if small
                    && std::fs::read_to_string(entry.path()).is_ok_and(|text| {
                        root_dir(&text).is_some_and(|dir| dir.starts_with(&wanted))
                    })
                {
                    names.push(name.to_owned());
                }
            }
            names.sort();
            Ok(names)
        })
        .await
    }

    /// Stops a service that antctl does not know and deletes its unit.
    pub async fn delete(&self, service: &str) -> Result<(), ManagerError> {
        let unit = format!("{service}.service");
        self.systemctl(&["stop", &unit]).await?;
        self.systemctl(&["disable", &unit]).await?;
        self.files.delete_files(&[&self.path(service)]).await?;
        self.reset_failed(service).await;
        Ok(())
    }

    async fn systemctl(&self, args: &[&str]) -> Result<String, ManagerError> {
        let mut spec = CommandSpec::new("systemctl", DEADLINE);
        if self.layout.ownership == Ownership::User {
            spec = spec.arg("--user");
            spec.env.extend(runtime_directory());
        }
        spec = spec.args(args);
        if self.layout.ownership == Ownership::System && args.first() != Some(&"is-enabled") {
            spec = spec.with_root();
        }
        let output = self.runner.run(&spec).await?.success(&spec)?;
        Ok(output::plain_text(&output.stdout))
    }
}

async fn read(path: PathBuf) -> Result<String, ManagerError> {
    blocking(move || {
        std::fs::read_to_string(&path)
            .map_err(|source| ManagerError::io(format!("reading {}", path.display()), source))
    })
    .await
}

/// The directory of the node that a unit starts. antctl writes arguments without quotes.
fn root_dir(unit: &str) -> Option<PathBuf> {
    let command = unit
        .lines()
        .find_map(|line| line.trim().strip_prefix("ExecStart="))?;
    let mut args = command.split_whitespace();
    args.find(|arg| *arg == "--root-dir")?;
    args.next().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_dir_reads_the_node_directory_from_a_unit() {
        let unit = "[Unit]\nDescription=antnode3\n[Service]\nExecStart=/n/antnode0007/antnode3/antnode --rpc \
                    127.0.0.1:30007 --root-dir /n/antnode0007/antnode3 --port 55007\nRestart=on-success";
        assert_eq!(
            root_dir(unit).unwrap(),
            Path::new("/n/antnode0007/antnode3")
        );
        assert_eq!(root_dir("[Service]\nExecStart=/bin/true --root-dir"), None);
        assert_eq!(root_dir(""), None);
    }
}
