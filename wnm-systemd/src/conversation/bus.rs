//! Over D-Bus: a thousand units in one answer of a few milliseconds, and the ends of jobs as signals.

mod proxy;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::net::UnixStream;
use tokio::time::timeout;
use zbus::connection::Builder;
use zbus::{Connection, OwnedObjectPath, fdo, proxy::CacheProperties};

use super::{Conversation, Details, JOB, QUESTION, RELOAD, TalkError, Unit};
use crate::domain::Domain;
use proxy::{ManagerProxy, ServiceStateProxy, UnitStateProxy};

/// Where the machine's bus listens.
const SYSTEM_BUS: &str = "/run/dbus/system_bus_socket";

/// Takes the place of any job for the unit that waits.
const REPLACE: &str = "replace";

/// A connection to the bus on which one systemd is.
pub(crate) struct Bus {
    connection: Connection,
    manager: ManagerProxy<'static>,
}

/// What is to be done with units in jobs.
#[derive(Debug, Clone, Copy)]
enum Job {
    Start,
    Restart,
    Stop,
}

impl Bus {
    /// Connects, and makes sure that systemd answers there.
    pub async fn connect(domain: &Domain) -> Result<Self, TalkError> {
        let socket = match domain {
            Domain::System => PathBuf::from(SYSTEM_BUS),
            Domain::User { runtime, .. } => runtime.join("bus"),
        };
        within(QUESTION, "connecting to the bus", Self::open(&socket)).await
    }

    async fn open(socket: &Path) -> Result<Self, TalkError> {
        let unreachable = |error: &dyn std::fmt::Display| {
            TalkError::Unreachable(format!("the bus at {}: {error}", socket.display()))
        };
        let stream = UnixStream::connect(socket)
            .await
            .map_err(|error| unreachable(&error))?;
        let stream = stream.into_std().map_err(|error| unreachable(&error))?;
        let connection = Builder::unix_stream(stream).build().await;
        Self::over(connection.map_err(|error| unreachable(&error))?)
            .await
            .map_err(|error| unreachable(&error))
    }

    async fn over(connection: Connection) -> Result<Self, TalkError> {
        let manager = ManagerProxy::builder(&connection)
            .cache_properties(CacheProperties::No)
            .build()
            .await
            .map_err(|error| refusal("connecting", "", error))?;
        // Without it nobody tells about the ends of jobs.
        manager
            .subscribe()
            .await
            .map_err(|error| refusal("subscribing", "", error))?;
        Ok(Self {
            connection,
            manager,
        })
    }

    async fn job(&self, job: Job, unit: &str) -> zbus::Result<OwnedObjectPath> {
        match job {
            Job::Start => self.manager.start_unit(unit, REPLACE).await,
            Job::Restart => self.manager.restart_unit(unit, REPLACE).await,
            Job::Stop => self.manager.stop_unit(unit, REPLACE).await,
        }
    }

    /// Asks for a job for each unit and waits until all have ended, however they end.
    async fn jobs(&self, job: Job, units: &[String]) -> Result<(), TalkError> {
        // Listened to before anything is asked for: a job may end before its number is known.
        let mut removed = self
            .manager
            .receive_job_removed()
            .await
            .map_err(|error| refusal("listening to jobs", "", error))?;
        let ask = async {
            let mut asked = HashSet::new();
            for unit in units {
                match self
                    .job(job, unit)
                    .await
                    .map_err(|error| refusal(word(job), unit, error))
                {
                    Ok(path) => {
                        asked.insert(path);
                    }
                    // What is not there does not run; what else was refused shows in the unit's state.
                    Err(TalkError::NoSuchUnit(_) | TalkError::Rejected { .. })
                        if matches!(job, Job::Stop) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(asked)
        };
        tokio::pin!(ask);
        let mut asked: Option<HashSet<OwnedObjectPath>> = None;
        let mut ended: HashSet<OwnedObjectPath> = HashSet::new();
        // Asking and listening go on at once: signals that nobody takes would hold up the answers.
        loop {
            if asked.as_ref().is_some_and(|asked| asked.is_subset(&ended)) {
                return Ok(());
            }
            tokio::select! {
                answer = &mut ask, if asked.is_none() => asked = Some(answer?),
                signal = removed.next() => match signal {
                    Some(signal) => {
                        if let Ok(arguments) = signal.args() {
                            ended.insert(arguments.job.clone());
                        }
                    }
                    None => return Err(TalkError::Unreachable("the bus hung up".to_owned())),
                },
            }
        }
    }
}

#[async_trait]
impl Conversation for Bus {
    async fn loaded(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, TalkError> {
        let loaded = within(QUESTION, "listing units", async {
            let loaded = self.manager.list_units_by_patterns(&[], patterns).await;
            loaded.map_err(|error| refusal("listing units", "", error))
        });
        let units = loaded.await?.into_iter().map(|row| {
            let (name, _, load, active, ..) = row;
            (name, Unit::Loaded { load, active })
        });
        Ok(units.collect())
    }

    async fn units(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, TalkError> {
        let files = within(QUESTION, "listing unit files", async {
            let files = self.manager.list_unit_files_by_patterns(&[], patterns);
            files
                .await
                .map_err(|error| refusal("listing unit files", "", error))
        });
        let (files, loaded) = tokio::try_join!(files, self.loaded(patterns))?;
        let names = files
            .iter()
            .filter_map(|(path, _)| Path::new(path).file_name()?.to_str());
        let mut units: HashMap<String, Unit> =
            names.map(|name| (name.to_owned(), Unit::OnDisk)).collect();
        units.extend(loaded);
        Ok(units)
    }

    async fn details(&self, unit: &str) -> Result<Details, TalkError> {
        let ask = async {
            let path = self.manager.load_unit(unit).await?;
            let state = UnitStateProxy::builder(&self.connection)
                .path(path.clone())
                .cache_properties(CacheProperties::No)
                .build()
                .await?;
            let service = ServiceStateProxy::builder(&self.connection)
                .path(path)
                .cache_properties(CacheProperties::No)
                .build()
                .await?;
            Ok(Details {
                load: state.load_state().await?,
                active: state.active_state().await?,
                sub: state.sub_state().await?,
                result: service.result().await?,
                status: service.exec_main_status().await?,
                restarts: service.restarts().await?,
            })
        };
        within(QUESTION, "asking about a unit", async {
            ask.await
                .map_err(|error| refusal("asking about", unit, error))
        })
        .await
    }

    async fn is_outdated(&self, unit: &str) -> Result<bool, TalkError> {
        let ask = async {
            let path = self.manager.load_unit(unit).await?;
            let state = UnitStateProxy::builder(&self.connection)
                .path(path)
                .cache_properties(CacheProperties::No)
                .build()
                .await?;
            state.need_daemon_reload().await
        };
        within(QUESTION, "asking about a unit", async {
            ask.await
                .map_err(|error| refusal("asking about", unit, error))
        })
        .await
    }

    async fn start(&self, unit: &str) -> Result<(), TalkError> {
        within(
            JOB,
            &format!("starting {unit}"),
            self.jobs(Job::Start, &[unit.to_owned()]),
        )
        .await
    }

    async fn restart(&self, unit: &str) -> Result<(), TalkError> {
        within(
            JOB,
            &format!("restarting {unit}"),
            self.jobs(Job::Restart, &[unit.to_owned()]),
        )
        .await
    }

    async fn stop(&self, units: &[String]) -> Result<(), TalkError> {
        let what = match units {
            [unit] => format!("stopping {unit}"),
            _ => format!("stopping {} units", units.len()),
        };
        within(JOB, &what, self.jobs(Job::Stop, units)).await
    }

    async fn enable(&self, units: &[String]) -> Result<(), TalkError> {
        let enable = async {
            let enabled = self.manager.enable_unit_files(units, false, true).await;
            enabled
                .map(drop)
                .map_err(|error| refusal("enabling", &units.join(" "), error))
        };
        within(RELOAD, "enabling units", enable).await
    }

    async fn disable(&self, units: &[String]) -> Result<(), TalkError> {
        let disable = async {
            let disabled = self.manager.disable_unit_files(units, false).await;
            disabled
                .map(drop)
                .map_err(|error| refusal("disabling", &units.join(" "), error))
        };
        within(RELOAD, "disabling units", disable).await
    }

    async fn reload(&self) -> Result<(), TalkError> {
        within(RELOAD, "reloading systemd", async {
            self.manager
                .reload()
                .await
                .map_err(|error| refusal("reloading systemd", "", error))
        })
        .await
    }

    async fn reset_failed(&self, units: &[String]) -> Result<(), TalkError> {
        within(QUESTION, "forgetting failures", async {
            for unit in units {
                let reset = self.manager.reset_failed_unit(unit).await;
                match reset.map_err(|error| refusal("forgetting failures of", unit, error)) {
                    Ok(()) | Err(TalkError::NoSuchUnit(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        })
        .await
    }
}

fn word(job: Job) -> &'static str {
    match job {
        Job::Start => "starting",
        Job::Restart => "restarting",
        Job::Stop => "stopping",
    }
}

async fn within<T>(
    limit: Duration,
    what: &str,
    work: impl Future<Output = Result<T, TalkError>>,
) -> Result<T, TalkError> {
    match timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(TalkError::TimedOut {
            what: what.to_owned(),
            limit,
        }),
    }
}

/// What an error of the bus means here.
fn refusal(act: &str, unit: &str, error: zbus::Error) -> TalkError {
    let what = format!("{act} {unit}").trim_end().to_owned();
    match error {
        zbus::Error::MethodError(name, words, _) => {
            let words = words.unwrap_or_else(|| name.to_string());
            match name.as_str() {
                "org.freedesktop.systemd1.NoSuchUnit" => TalkError::NoSuchUnit(unit.to_owned()),
                _ => TalkError::Rejected { what, words },
            }
        }
        zbus::Error::FDO(error) => match *error {
            fdo::Error::AccessDenied(words)
            | fdo::Error::AuthFailed(words)
            | fdo::Error::InteractiveAuthorizationRequired(words) => {
                TalkError::NotPermitted(format!("{what}: {words}"))
            }
            fdo::Error::Failed(words)
            | fdo::Error::InvalidArgs(words)
            | fdo::Error::FileNotFound(words)
            | fdo::Error::FileExists(words) => TalkError::Rejected { what, words },
            other => TalkError::Unreachable(other.to_string()),
        },
        other => TalkError::Unreachable(format!("{what}: {other}")),
    }
}
