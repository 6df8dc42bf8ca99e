//! The client interface to systemd, independent of the transport.

mod bus;
mod fallback;
mod systemctl;

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;
use wnm_core::manager::ManagerError;

pub(crate) use bus::BusClient;
pub(crate) use fallback::FallbackClient;
pub(crate) use systemctl::Systemctl;

/// Timeout for a query. systemd answers from memory, but only after a reload that is in progress.
pub(crate) const QUERY_TIMEOUT: Duration = Duration::from_secs(30);

/// Timeout for a reload. It reads every unit file on the machine, which takes seconds with a
/// thousand units and longer on a busy disk.
pub(crate) const RELOAD_TIMEOUT: Duration = Duration::from_secs(120);

/// Timeout for a start or stop job, including the time the unit may take to stop.
pub(crate) const JOB_TIMEOUT: Duration = Duration::from_secs(90);

/// Talks to one systemd instance. A start or stop returns what systemd reported; callers must check
/// the unit state for the real outcome.
#[async_trait]
pub(crate) trait Client: Send + Sync {
    /// Lists the loaded units that match, in one request.
    async fn loaded(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, ClientError>;

    /// Lists the units that match, loaded or only on disk. systemd reads the disk for this, which
    /// takes about fifty times as long as [`Client::loaded`].
    async fn units(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, ClientError>;

    /// Reads the details of one unit.
    async fn details(&self, unit: &str) -> Result<Details, ClientError>;

    /// Whether the unit file changed after systemd read it.
    async fn is_outdated(&self, unit: &str) -> Result<bool, ClientError>;

    /// Starts a unit and waits for the job to finish.
    async fn start(&self, unit: &str) -> Result<(), ClientError>;

    /// Restarts a unit and waits for the job to finish.
    async fn restart(&self, unit: &str) -> Result<(), ClientError>;

    /// Stops these units and waits for the jobs to finish.
    async fn stop(&self, units: &[String]) -> Result<(), ClientError>;

    /// Enables these units at boot.
    async fn enable(&self, units: &[String]) -> Result<(), ClientError>;

    /// Disables these units at boot.
    async fn disable(&self, units: &[String]) -> Result<(), ClientError>;

    /// Reloads all unit files.
    async fn reload(&self) -> Result<(), ClientError>;

    /// Clears the failed state and start counters. Ignores units that are not loaded.
    async fn reset_failed(&self, units: &[String]) -> Result<(), ClientError>;
}

/// A unit as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unit {
    /// systemd has it in memory.
    Loaded {
        /// `loaded`, `not-found`, `masked`, `bad-setting` …
        load: String,
        /// `active`, `inactive`, `failed`, `activating` …
        active: String,
    },
    /// Only the unit file exists. The unit does not run.
    OnDisk,
}

/// The state of one unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Details {
    /// See [`Unit::Loaded`].
    pub load: String,
    /// See [`Unit::Loaded`].
    pub active: String,
    /// `running`, `dead`, `auto-restart` …
    pub sub: String,
    /// `success`, `exit-code`, `start-limit-hit` …
    pub result: String,
    /// Exit status or signal of the last main process.
    pub status: i32,
    /// How often systemd restarted it.
    pub restarts: u32,
}

/// Why a request failed. `Clone`, because callers that share a request share its error.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum ClientError {
    /// systemd cannot be reached.
    #[error("{0}")]
    Unreachable(String),
    /// The caller lacks permission.
    #[error("{0}")]
    NotPermitted(String),
    /// systemd did not answer in time.
    #[error("{what} did not finish within {limit:?}")]
    TimedOut {
        /// What was requested.
        what: String,
        /// The timeout.
        limit: Duration,
    },
    /// systemd refused the request.
    #[error("{what}: {words}")]
    Rejected {
        /// What was requested.
        what: String,
        /// The message from systemd.
        words: String,
    },
    /// There is no such unit.
    #[error("systemd has no unit {0}")]
    NoSuchUnit(String),
}

impl From<ClientError> for ManagerError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Unreachable(reason) => Self::Unreachable {
                supervisor: "systemd".to_owned(),
                reason,
            },
            ClientError::NotPermitted(words) => Self::NotPermitted(words),
            ClientError::TimedOut { what, limit } => Self::TimedOut { what, limit },
            ClientError::Rejected { what, words } => Self::Rejected { what, words },
            ClientError::NoSuchUnit(unit) => Self::NotFound(format!("unit {unit}")),
        }
    }
}
