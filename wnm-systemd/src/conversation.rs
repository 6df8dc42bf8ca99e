//! What is asked of systemd, whichever way it is spoken to.

mod bus;
mod either;
mod systemctl;

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;
use wnm_core::manager::ManagerError;

pub(crate) use bus::Bus;
pub(crate) use either::Either;
pub(crate) use systemctl::Systemctl;

/// Questions are answered from memory; a manager that reloads a thousand units answers after that.
pub(crate) const QUESTION: Duration = Duration::from_secs(30);

/// A reload reads every unit file of the machine: seconds at a thousand units, more on a loaded disk.
pub(crate) const RELOAD: Duration = Duration::from_secs(120);

/// A start or a stop of a unit, its own time to end included.
pub(crate) const JOB: Duration = Duration::from_secs(90);

/// One conversation with one systemd. Success and refusal of a start or a stop are only its words: what came of
/// it is asked afterwards.
#[async_trait]
pub(crate) trait Conversation: Send + Sync {
    /// The units that match and are loaded, in one question however many there are.
    async fn loaded(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, TalkError>;

    /// The units that match, loaded or only on disk. systemd reads the disk for it, which takes fifty times as
    /// long.
    async fn units(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, TalkError>;

    /// More about one unit.
    async fn details(&self, unit: &str) -> Result<Details, TalkError>;

    /// Whether its file was changed after systemd read it.
    async fn is_outdated(&self, unit: &str) -> Result<bool, TalkError>;

    /// Starts, and waits for the end of the job.
    async fn start(&self, unit: &str) -> Result<(), TalkError>;

    /// Stops and starts as one job, and waits for its end.
    async fn restart(&self, unit: &str) -> Result<(), TalkError>;

    /// Stops all of these, and waits for the end of the jobs.
    async fn stop(&self, units: &[String]) -> Result<(), TalkError>;

    /// Has them come up with the machine.
    async fn enable(&self, units: &[String]) -> Result<(), TalkError>;

    /// Has them not.
    async fn disable(&self, units: &[String]) -> Result<(), TalkError>;

    /// Reads all unit files anew.
    async fn reload(&self) -> Result<(), TalkError>;

    /// Forgets failures and counted starts. Units that are not loaded have none.
    async fn reset_failed(&self, units: &[String]) -> Result<(), TalkError>;
}

/// A unit in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unit {
    /// systemd holds it in memory.
    Loaded {
        /// `loaded`, `not-found`, `masked`, `bad-setting` …
        load: String,
        /// `active`, `inactive`, `failed`, `activating` …
        active: String,
    },
    /// There is a file, and no reason to hold it in memory: it does not run.
    OnDisk,
}

/// What systemd says of one unit.
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
    /// How often systemd brought it back.
    pub restarts: u32,
}

/// Why a conversation gave no answer. It may have several listeners, so it can be told twice.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum TalkError {
    /// It cannot be spoken to.
    #[error("{0}")]
    Unreachable(String),
    /// It does not take this from the caller.
    #[error("{0}")]
    NotPermitted(String),
    /// No answer in time.
    #[error("{what} did not finish within {limit:?}")]
    TimedOut {
        /// What was asked.
        what: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// It said no.
    #[error("{what}: {words}")]
    Rejected {
        /// What was asked.
        what: String,
        /// In its own words.
        words: String,
    },
    /// It knows no such unit.
    #[error("systemd knows no unit {0}")]
    NoSuchUnit(String),
}

impl From<TalkError> for ManagerError {
    fn from(error: TalkError) -> Self {
        match error {
            TalkError::Unreachable(reason) => Self::Unreachable {
                supervisor: "systemd".to_owned(),
                reason,
            },
            TalkError::NotPermitted(words) => Self::NotPermitted(words),
            TalkError::TimedOut { what, limit } => Self::TimedOut { what, limit },
            TalkError::Rejected { what, words } => Self::Rejected { what, words },
            TalkError::NoSuchUnit(unit) => Self::NotFound(format!("unit {unit}")),
        }
    }
}
