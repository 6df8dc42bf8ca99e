//! Talks to systemd over D-Bus. One reply lists a thousand units in a few milliseconds, and signals
//! report finished jobs.

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

use super::{Client, ClientError, Details, JOB_TIMEOUT, QUERY_TIMEOUT, RELOAD_TIMEOUT, Unit};
use crate::domain::Domain;
use proxy::{ManagerProxy, ServiceStateProxy, UnitStateProxy};

/// The socket of the system bus.
const SYSTEM_BUS: &str = "/run/dbus/system_bus_socket";

/// Job mode: replaces any queued job of the unit.
const REPLACE: &str = "replace";

/// A connection to the bus of one systemd instance.
pub(crate) struct BusClient {
    connection: Connection,
    manager: ManagerProxy<'static>,
}

/// A kind of job.
#[derive(Debug, Clone, Copy)]
enum Job {
    Start,
    Restart,
    Stop,
}

impl BusClient {
    /// Connects and checks that systemd answers.
    pub async fn connect(domain: &Domain) -> Result<Self, ClientError> {
        let socket = match domain {
            Domain::System => PathBuf::from(SYSTEM_BUS),
            Domain::User { runtime, .. } => runtime.join("bus"),
        };
        with_deadline(
            QUERY_TIMEOUT,
            "connecting to the bus",
            Self::connect_to(&socket),
        )
        .await
    }

    async fn connect_to(socket: &Path) -> Result<Self, ClientError> {
        let unreachable = |error: &dyn std::fmt::Display| {
            ClientError::Unreachable(format!(
                "cannot connect to the bus at {}: {error}",
                socket.display()
            ))
        };
        let stream = UnixStream::connect(socket)
            .await
            .map_err(|error| unreachable(&error))?;
        let stream = stream.into_std().map_err(|error| unreachable(&error))?;
        let connection = Builder::unix_stream(stream).build().await;
        Self::with_connection(connection.map_err(|error| unreachable(&error))?)
            .await
            .map_err(|error| unreachable(&error))
    }

    async fn with_connection(connection: Connection) -> Result<Self, ClientError> {
        let manager = ManagerProxy::builder(&connection)
            .cache_properties(CacheProperties::No)
            .build()
            .await
            .map_err(|error| client_error("connecting", "", error))?;
        // systemd sends no job signals without a subscription.
        manager
            .subscribe()
            .await
            .map_err(|error| client_error("subscribing", "", error))?;
        Ok(Self {
            connection,
            manager,
        })
    }

    async fn queue(&self, job: Job, unit: &str) -> zbus::Result<OwnedObjectPath> {
        match job {
            Job::Start => self.manager.start_unit(unit, REPLACE).await,
            Job::Restart => self.manager.restart_unit(unit, REPLACE).await,
            Job::Stop => self.manager.stop_unit(unit, REPLACE).await,
        }
    }

    /// Queues a job for each unit and waits until all have finished, whatever their results.
    async fn run_jobs(&self, job: Job, units: &[String]) -> Result<(), ClientError> {
        // Listen before queueing: a job may finish before its path is known.
        let mut signals = self
            .manager
            .receive_job_removed()
            .await
            .map_err(|error| client_error("listening for jobs", "", error))?;
        let request = async {
            let mut queued = HashSet::new();
            for unit in units {
                match self
                    .queue(job, unit)
                    .await
                    .map_err(|error| client_error(job.as_str(), unit, error))
                {
                    Ok(path) => {
                        queued.insert(path);
                    }
                    // A missing unit does not run, and any other refusal shows in the unit state.
                    Err(ClientError::NoSuchUnit(_) | ClientError::Rejected { .. })
                        if matches!(job, Job::Stop) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(queued)
        };
        tokio::pin!(request);
        let mut queued: Option<HashSet<OwnedObjectPath>> = None;
        let mut finished: HashSet<OwnedObjectPath> = HashSet::new();
        // Queue and listen concurrently: undelivered signals would block the replies.
        loop {
            if queued
                .as_ref()
                .is_some_and(|queued| queued.is_subset(&finished))
            {
                return Ok(());
            }
            tokio::select! {
                answer = &mut request, if queued.is_none() => queued = Some(answer?),
                signal = signals.next() => match signal {
                    Some(signal) => {
                        if let Ok(arguments) = signal.args() {
                            finished.insert(arguments.job.clone());
                        }
                    }
                    None => return Err(ClientError::Unreachable("the bus closed the connection".to_owned())),
                },
            }
        }
    }
}

#[async_trait]
impl Client for BusClient {
    async fn loaded(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, ClientError> {
        let loaded = with_deadline(QUERY_TIMEOUT, "listing units", async {
            let loaded = self.manager.list_units_by_patterns(&[], patterns).await;
            loaded.map_err(|error| client_error("listing units", "", error))
        });
        let units = loaded.await?.into_iter().map(|row| {
            let (name, _, load, active, ..) = row;
            (name, Unit::Loaded { load, active })
        });
        Ok(units.collect())
    }

    async fn units(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, ClientError> {
        let files = with_deadline(QUERY_TIMEOUT, "listing unit files", async {
            let files = self.manager.list_unit_files_by_patterns(&[], patterns);
            files
                .await
                .map_err(|error| client_error("listing unit files", "", error))
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

    async fn details(&self, unit: &str) -> Result<Details, ClientError> {
        let request = async {
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
        with_deadline(QUERY_TIMEOUT, "reading a unit", async {
            request
                .await
                .map_err(|error| client_error("reading", unit, error))
        })
        .await
    }

    async fn is_outdated(&self, unit: &str) -> Result<bool, ClientError> {
        let request = async {
            let path = self.manager.load_unit(unit).await?;
            let state = UnitStateProxy::builder(&self.connection)
                .path(path)
                .cache_properties(CacheProperties::No)
                .build()
                .await?;
            state.need_daemon_reload().await
        };
        with_deadline(QUERY_TIMEOUT, "reading a unit", async {
            request
                .await
                .map_err(|error| client_error("reading", unit, error))
        })
        .await
    }

    async fn start(&self, unit: &str) -> Result<(), ClientError> {
        with_deadline(
            JOB_TIMEOUT,
            &format!("starting {unit}"),
            self.run_jobs(Job::Start, &[unit.to_owned()]),
        )
        .await
    }

    async fn restart(&self, unit: &str) -> Result<(), ClientError> {
        with_deadline(
            JOB_TIMEOUT,
            &format!("restarting {unit}"),
            self.run_jobs(Job::Restart, &[unit.to_owned()]),
        )
        .await
    }

    async fn stop(&self, units: &[String]) -> Result<(), ClientError> {
        let what = match units {
            [unit] => format!("stopping {unit}"),
            _ => format!("stopping {} units", units.len()),
        };
        with_deadline(JOB_TIMEOUT, &what, self.run_jobs(Job::Stop, units)).await
    }

    async fn enable(&self, units: &[String]) -> Result<(), ClientError> {
        let enable = async {
            let enabled = self.manager.enable_unit_files(units, false, true).await;
            enabled
                .map(drop)
                .map_err(|error| client_error("enabling", &units.join(" "), error))
        };
        with_deadline(RELOAD_TIMEOUT, "enabling units", enable).await
    }

    async fn disable(&self, units: &[String]) -> Result<(), ClientError> {
        let disable = async {
            let disabled = self.manager.disable_unit_files(units, false).await;
            disabled
                .map(drop)
                .map_err(|error| client_error("disabling", &units.join(" "), error))
        };
        with_deadline(RELOAD_TIMEOUT, "disabling units", disable).await
    }

    async fn reload(&self) -> Result<(), ClientError> {
        with_deadline(RELOAD_TIMEOUT, "reloading systemd", async {
            self.manager
                .reload()
                .await
                .map_err(|error| client_error("reloading systemd", "", error))
        })
        .await
    }

    async fn reset_failed(&self, units: &[String]) -> Result<(), ClientError> {
        with_deadline(QUERY_TIMEOUT, "resetting failed units", async {
            for unit in units {
                let reset = self.manager.reset_failed_unit(unit).await;
                match reset
                    .map_err(|error| client_error("resetting the failed state of", unit, error))
                {
                    Ok(()) | Err(ClientError::NoSuchUnit(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        })
        .await
    }
}

impl Job {
    fn as_str(self) -> &'static str {
        match self {
            Self::Start => "starting",
            Self::Restart => "restarting",
            Self::Stop => "stopping",
        }
    }
}

async fn with_deadline<T>(
    limit: Duration,
    what: &str,
    work: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    match timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(ClientError::TimedOut {
            what: what.to_owned(),
            limit,
        }),
    }
}

/// Maps a D-Bus error to a client error.
fn client_error(act: &str, unit: &str, error: zbus::Error) -> ClientError {
    let what = format!("{act} {unit}").trim_end().to_owned();
    match error {
        zbus::Error::MethodError(name, words, _) => {
            let words = words.unwrap_or_else(|| name.to_string());
            match name.as_str() {
                "org.freedesktop.systemd1.NoSuchUnit" => ClientError::NoSuchUnit(unit.to_owned()),
                _ => ClientError::Rejected { what, words },
            }
        }
        zbus::Error::FDO(error) => match *error {
            fdo::Error::AccessDenied(words)
            | fdo::Error::AuthFailed(words)
            | fdo::Error::InteractiveAuthorizationRequired(words) => {
                ClientError::NotPermitted(format!("{what}: {words}"))
            }
            fdo::Error::Failed(words)
            | fdo::Error::InvalidArgs(words)
            | fdo::Error::FileNotFound(words)
            | fdo::Error::FileExists(words) => ClientError::Rejected { what, words },
            other => ClientError::Unreachable(other.to_string()),
        },
        other => ClientError::Unreachable(format!("{what}: {other}")),
    }
}
