//! Jobs taken and let go of, both of which launchd does after it answered.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;
use wnm_core::manager::ManagerError;

use crate::Launchd;
use crate::domain::Domain;
use crate::job_file::EXIT_SECONDS;
use crate::label::Label;
use crate::launchctl::{Meaning, TalkError};

/// How often it is looked whether launchd is done. It tells nobody.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A label is busy for three to five seconds after its job is gone; twice that on a loaded machine.
pub(crate) const SETTLES: Duration = Duration::from_secs(10);

/// A process may use its time to end up, and launchd then kills it.
pub(crate) const ENDS: Duration = Duration::from_secs(EXIT_SECONDS + 10);

impl Launchd {
    /// Has a domain take a job. While the label is still busy with the job's last time, it is tried again.
    pub(crate) async fn take(&self, domain: Domain, label: &Label) -> Result<(), TalkError> {
        let file = self.file_of(label);
        let until = Instant::now() + SETTLES;
        loop {
            let error = match self.talk.bootstrap(domain, &file).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            match error.meaning() {
                Some(Meaning::Ambiguous | Meaning::InProgress) => {}
                _ => return Err(error),
            }
            // Another may have been faster.
            if self.talk.look(domain, label).await?.is_some() {
                return Ok(());
            }
            if Instant::now() >= until {
                return Err(error);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Starts a job that is held anew.
    pub(crate) async fn kick(&self, domain: Domain, label: &Label) -> Result<(), TalkError> {
        let until = Instant::now() + SETTLES;
        loop {
            match self.talk.kickstart(domain, label).await {
                Err(error)
                    if error.meaning() == Some(Meaning::InProgress) && Instant::now() < until => {}
                other => return other,
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Has a domain let go of a job, and returns once it did and the process is gone.
    pub(crate) async fn let_go(&self, domain: Domain, label: &Label) -> Result<(), ManagerError> {
        let said = self.ask_to_let_go(domain, label).await?;
        let limit = if said.is_some() { SETTLES } else { ENDS };
        let until = Instant::now() + limit;
        while self.talk.look(domain, label).await?.is_some() {
            if Instant::now() >= until {
                return Err(said.map_or_else(
                    || ManagerError::TimedOut {
                        what: format!("the end of {label}"),
                        limit,
                    },
                    ManagerError::from,
                ));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Has launchd let go of all of these, wherever they are, and returns once it did. Those that it still holds
    /// after the time that an end takes are given back.
    pub(crate) async fn let_go_of_all(&self, labels: &[Label]) -> Result<Vec<Label>, ManagerError> {
        let until = Instant::now() + ENDS;
        loop {
            let jobs = self.holding(labels).await?;
            let mut left = labels.to_vec();
            left.retain(|label| jobs.contains_key(&label.to_string()));
            if left.is_empty() || Instant::now() >= until {
                return Ok(left);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Asks for it. What launchd had against it, if that leaves it open whether it does it.
    pub(crate) async fn ask_to_let_go(
        &self,
        domain: Domain,
        label: &Label,
    ) -> Result<Option<TalkError>, ManagerError> {
        let file: &Path = &self.file_of(label);
        match self.talk.bootout(domain, label, file).await {
            Ok(()) => Ok(None),
            Err(error) => match error.meaning() {
                Some(Meaning::Gone | Meaning::NoDomain | Meaning::InProgress) => Ok(None),
                Some(Meaning::Ambiguous) => Ok(Some(error)),
                _ => Err(error.into()),
            },
        }
    }
}
