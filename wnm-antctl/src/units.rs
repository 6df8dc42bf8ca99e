//! The units that antctl writes: what it does with them by halves is completed here.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use wnm_core::command::{CommandRunner, CommandSpec};
use wnm_core::manager::ManagerError;
use wnm_host::blocking;
use wnm_host::command::AsRoot;
use wnm_host::files::Files;

use crate::caller::runtime_directory;
use crate::place::{Domain, Place};
use crate::registry::Service;
use crate::words;

/// It asks systemd for one unit. One that stops may take as long as systemd lets it.
const DEADLINE: Duration = Duration::from_secs(120);

/// Larger than any unit that antctl writes; what is larger is something else.
const LARGEST_UNIT: u64 = 256 * 1024;

/// The units of one antctl.
pub(crate) struct Units {
    place: Place,
    runner: Arc<dyn CommandRunner>,
    files: Arc<dyn Files>,
}

impl Units {
    pub fn new(place: Place, runner: Arc<dyn CommandRunner>, files: Arc<dyn Files>) -> Self {
        Self {
            place,
            runner,
            files,
        }
    }

    /// Where the unit of a service is.
    pub fn path(&self, service: &str) -> PathBuf {
        self.place.unit_dir.join(format!("{service}.service"))
    }

    /// Whether there is a unit, or something in its place.
    pub fn is_there(&self, service: &str) -> bool {
        std::fs::symlink_metadata(self.path(service)).is_ok()
    }

    /// Whether a service comes up with the machine. Where there is no systemd none is known to.
    pub async fn comes_up(&self, service: &str) -> bool {
        let unit = format!("{service}.service");
        let asked = self.systemctl(&["is-enabled", &unit]).await;
        asked.is_ok_and(|said| said.trim() == "enabled")
    }

    /// Has a service come up with the machine. The section that this needs is not in a unit that antctl wrote when it
    /// upgraded.
    pub async fn let_come_up(&self, service: &str) -> Result<(), ManagerError> {
        let path = self.path(service);
        let text = read(path.clone()).await?;
        if !text.lines().any(|line| line.trim() == "[Install]") {
            let target = match self.place.domain {
                Domain::System => "multi-user.target",
                Domain::User => "default.target",
            };
            let text = format!("{}\n\n[Install]\nWantedBy={target}\n", text.trim_end());
            self.files.write(&path, &text).await?;
        }
        let unit = format!("{service}.service");
        self.systemctl(&["enable", &unit]).await.map(drop)
    }

    /// Makes a start possible that systemd would refuse because earlier ones failed, also those of another service of
    /// that name. It is no failure that it knows of none.
    pub async fn forgive(&self, service: &str) {
        let unit = format!("{service}.service");
        if let Err(error) = self.systemctl(&["reset-failed", &unit]).await {
            tracing::debug!(unit, %error, "there is nothing to forgive");
        }
    }

    /// Sees to it that a unit is there to be replaced or removed. antctl refuses both where it is not, as after a call
    /// of it that ended between taking the old one away and writing the new one.
    pub async fn stand_in(&self, service: &Service) -> Result<(), ManagerError> {
        if self.is_there(&service.name) {
            return Ok(());
        }
        let text = format!(
            "[Unit]\nDescription={}\n[Service]\nExecStart={}\n",
            service.name,
            service.program.display()
        );
        self.files.write(&self.path(&service.name), &text).await
    }

    /// Names of the services whose unit runs a node below `directory`, whether antctl knows them or not.
    pub async fn below(&self, directory: &Path) -> Result<Vec<String>, ManagerError> {
        let (units, wanted) = (self.place.unit_dir.clone(), directory.to_owned());
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
                let Some(name) = name.filter(|name| words::is_name(name)) else {
                    continue;
                };
                let small = std::fs::metadata(entry.path())
                    .is_ok_and(|file| file.is_file() && file.len() <= LARGEST_UNIT);
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

    /// Stops a service that antctl does not know and takes its unit away.
    pub async fn delete(&self, service: &str) -> Result<(), ManagerError> {
        let unit = format!("{service}.service");
        self.systemctl(&["stop", &unit]).await?;
        self.systemctl(&["disable", &unit]).await?;
        self.files.delete_files(&[&self.path(service)]).await?;
        self.forgive(service).await;
        Ok(())
    }

    async fn systemctl(&self, args: &[&str]) -> Result<String, ManagerError> {
        let mut spec = CommandSpec::new("systemctl", DEADLINE);
        if self.place.domain == Domain::User {
            spec = spec.arg("--user");
            spec.env.extend(runtime_directory());
        }
        spec = spec.args(args);
        if self.place.domain == Domain::System && args.first() != Some(&"is-enabled") {
            spec = spec.as_root();
        }
        let output = self.runner.run(&spec).await?.success(&spec)?;
        Ok(words::plain(&output.stdout))
    }
}

async fn read(path: PathBuf) -> Result<String, ManagerError> {
    blocking(move || {
        std::fs::read_to_string(&path)
            .map_err(|source| ManagerError::io(format!("reading {}", path.display()), source))
    })
    .await
}

/// The directory of the node that a unit starts. antctl writes the arguments as they are, without quotes.
fn root_dir(unit: &str) -> Option<PathBuf> {
    let command = unit
        .lines()
        .find_map(|line| line.trim().strip_prefix("ExecStart="))?;
    let mut words = command.split_whitespace();
    words.find(|word| *word == "--root-dir")?;
    words.next().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_tells_the_directory_of_its_node() {
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
