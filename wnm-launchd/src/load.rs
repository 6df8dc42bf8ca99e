//! Loads and unloads jobs. launchd finishes both only after launchctl returns.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;
use wnm_core::manager::ManagerError;

use crate::Launchd;
use crate::domain::Domain;
use crate::job_file::EXIT_SECONDS;
use crate::label::Label;
use crate::launchctl::{LaunchctlError, Refusal};

/// How often to poll. launchd sends no notification.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// How long to retry while a label is busy. It stays busy for three to five seconds after its job
/// is gone, and twice that on a busy machine.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an unload may take: the exit timeout of the process, after which launchd kills it, plus
/// a margin.
pub(crate) const UNLOAD_TIMEOUT: Duration = Duration::from_secs(EXIT_SECONDS + 10);

impl Launchd {
    /// Loads a job into a domain. Retries while the label is busy from the last unload.
    pub(crate) async fn load_job(
        &self,
        domain: Domain,
        label: &Label,
    ) -> Result<(), LaunchctlError> {
        let file = self.job_path(label);
        let deadline = Instant::now() + BUSY_TIMEOUT;
        loop {
            let error = match self.launchctl.bootstrap(domain, &file).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            match error.refusal() {
                Some(Refusal::Ambiguous | Refusal::InProgress) => {}
                _ => return Err(error),
            }
            // Someone else may have loaded it.
            if self.launchctl.job_details(domain, label).await?.is_some() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(error);
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Restarts a loaded job. Retries while launchd is busy with it.
    pub(crate) async fn restart_job(
        &self,
        domain: Domain,
        label: &Label,
    ) -> Result<(), LaunchctlError> {
        let deadline = Instant::now() + BUSY_TIMEOUT;
        loop {
            match self.launchctl.kickstart(domain, label).await {
                Err(error)
                    if error.refusal() == Some(Refusal::InProgress)
                        && Instant::now() < deadline => {}
                other => return other,
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Unloads a job, and returns once it and its process are gone.
    pub(crate) async fn unload_job(
        &self,
        domain: Domain,
        label: &Label,
    ) -> Result<(), ManagerError> {
        let refusal = self.request_unload(domain, label).await?;
        let limit = if refusal.is_some() {
            BUSY_TIMEOUT
        } else {
            UNLOAD_TIMEOUT
        };
        let deadline = Instant::now() + limit;
        while self.launchctl.job_details(domain, label).await?.is_some() {
            if Instant::now() >= deadline {
                return Err(refusal.map_or_else(
                    || ManagerError::TimedOut {
                        what: format!("unloading {label}"),
                        limit,
                    },
                    ManagerError::from,
                ));
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    /// Waits until these jobs are unloaded in all domains. Returns those that are still loaded
    /// after the exit timeout.
    pub(crate) async fn wait_until_unloaded(
        &self,
        labels: &[Label],
    ) -> Result<Vec<Label>, ManagerError> {
        let deadline = Instant::now() + UNLOAD_TIMEOUT;
        loop {
            let jobs = self.loaded_jobs(labels).await?;
            let mut remaining = labels.to_vec();
            remaining.retain(|label| jobs.contains_key(&label.to_string()));
            if remaining.is_empty() || Instant::now() >= deadline {
                return Ok(remaining);
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Asks launchd to unload a job. Returns the refusal if it is ambiguous whether launchd does it
    /// anyway.
    pub(crate) async fn request_unload(
        &self,
        domain: Domain,
        label: &Label,
    ) -> Result<Option<LaunchctlError>, ManagerError> {
        let file: &Path = &self.job_path(label);
        match self.launchctl.bootout(domain, label, file).await {
            Ok(()) => Ok(None),
            Err(error) => match error.refusal() {
                Some(Refusal::NotLoaded | Refusal::NoDomain | Refusal::InProgress) => Ok(None),
                Some(Refusal::Ambiguous) => Ok(Some(error)),
                _ => Err(error.into()),
            },
        }
    }
}
