//! Starts and stops nodes, and verifies the outcome.

use std::time::Duration;

use tokio::time::Instant;
use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::layout;

use crate::add::Ownership;
use crate::domain::Domain;
use crate::label::Label;
use crate::launchctl::{Details, Refusal};
use crate::node_output::NodeOutput;
use crate::status::JobState;
use crate::{Launchd, path_exists};

/// How long launchd may take to start the process of a loaded job.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// How often to poll for the process. launchd sends no notification.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How long a node must run to count as started. A program that rejects its arguments or key exits
/// sooner; a later exit shows up in the next status.
const STABLE_AFTER: Duration = Duration::from_millis(300);

impl Launchd {
    /// Starts a node unless it runs, and enables it at boot or login.
    pub(crate) async fn start_node(&self, node: &Node) -> Result<(), ManagerError> {
        let label = &Label::for_node(node)?;
        if !node.root_dir.is_dir() {
            return Err(ManagerError::NotFound(node.root_dir.display().to_string()));
        }
        if self.ownership(label).await? == Ownership::Absent {
            return Err(ManagerError::NotFound(
                self.job_path(label).display().to_string(),
            ));
        }
        self.launchctl.enable(label).await?;
        fault::point("launchd.start.enabled");
        match self.find_job(label).await? {
            JobState::Loaded(_, Details { pid: Some(_), .. }) => return Ok(()),
            // launchd is waiting to retry it. Reloading starts it at once, with the current
            // settings.
            JobState::Loaded(domain, _) => self.unload_job(domain, label).await?,
            JobState::NotLoaded => {}
        }
        self.load_and_verify(node, label).await
    }

    /// Loads a job that is not loaded, and verifies that its process keeps running.
    pub(crate) async fn load_and_verify(
        &self,
        node: &Node,
        label: &Label,
    ) -> Result<(), ManagerError> {
        let logs = layout::log_dir(node, &self.context.paths);
        if !logs.is_dir() || !self.context.paths.bootstrap_cache.is_dir() {
            self.make_directories(node).await?;
        }
        let output = logs.join(self.output_name());
        let output = NodeOutput::prepare(self.files.as_ref(), output).await?;
        let domain = self.load_into_first_domain(node, label).await?;
        fault::point("launchd.start.loaded");
        self.verify_stays_up(domain, label, &output, None).await
    }

    /// Loads a job into the first domain that exists, and returns that domain.
    async fn load_into_first_domain(
        &self,
        node: &Node,
        label: &Label,
    ) -> Result<Domain, ManagerError> {
        let mut last_error = None;
        for domain in self.scope.domains() {
            if self.is_outdated(node, label, domain).await? {
                self.write_job(node, label, domain).await?;
            }
            match self.load_job(domain, label).await {
                Ok(()) => return Ok(domain),
                Err(error) if error.refusal() == Some(Refusal::NoDomain) => {
                    last_error = Some(error)
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(last_error.map_or_else(
            || ManagerError::NotFound(format!("a domain for {label}")),
            ManagerError::from,
        ))
    }

    /// Waits for a process of the job that differs from the one in `before`, and verifies that it
    /// keeps running. If it does not, disables and unloads the job: launchd would restart it
    /// endlessly, and retries are up to wnm.
    pub(crate) async fn verify_stays_up(
        &self,
        domain: Domain,
        label: &Label,
        output: &NodeOutput,
        before: Option<&Details>,
    ) -> Result<(), ManagerError> {
        let deadline = Instant::now() + START_TIMEOUT;
        let last = loop {
            let now = self.launchctl.job_details(domain, label).await?;
            let Some(details) = now else { break None };
            if has_started(&details, before) {
                tokio::time::sleep(STABLE_AFTER).await;
                let after = self.launchctl.job_details(domain, label).await?;
                if after.as_ref().is_some_and(|after| after.pid == details.pid) {
                    return Ok(());
                }
                break after;
            }
            if has_exited(&details, before) || Instant::now() >= deadline {
                break Some(details);
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        };
        let mut words = describe_state(last.as_ref());
        let excerpt = output.excerpt();
        if !excerpt.is_empty() {
            words = format!("{words}; {excerpt}");
        }
        self.launchctl.disable(label).await?;
        self.unload_job(domain, label).await?;
        Err(ManagerError::Rejected {
            what: format!("starting {label}"),
            words,
        })
    }

    /// Stops a node and disables it at boot or login.
    pub(crate) async fn stop_node(&self, node: &Node) -> Result<(), ManagerError> {
        let label = &Label::for_node(node)?;
        let job_state = self.find_job(label).await?;
        if job_state == JobState::NotLoaded && !path_exists(&self.job_path(label)) {
            return Ok(());
        }
        // Disable first: if wnm crashes before the stop, the node does not come back.
        self.launchctl.disable(label).await?;
        fault::point("launchd.stop.disabled");
        if let JobState::Loaded(domain, _) = job_state {
            self.unload_job(domain, label).await?;
        }
        fault::point("launchd.stop.unloaded");
        Ok(())
    }
}

/// Whether there is a process that was not there before.
fn has_started(now: &Details, before: Option<&Details>) -> bool {
    now.pid.is_some() && before.is_none_or(|before| before.pid != now.pid)
}

/// Whether the new process has already exited. Only a freshly loaded job can tell: after a restart,
/// the last exit may be that of the previous process.
fn has_exited(now: &Details, before: Option<&Details>) -> bool {
    before.is_none() && now.pid.is_none() && now.last_exit.is_some()
}

fn describe_state(details: Option<&Details>) -> String {
    match details {
        None => "launchd unloaded it".to_owned(),
        Some(Details {
            state,
            last_exit: Some(exit),
            ..
        }) => {
            format!("launchd reports {state}, last exit code {exit}")
        }
        Some(Details {
            state,
            last_exit: None,
            ..
        }) => format!("launchd reports {state}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(pid: Option<u32>, last_exit: Option<&str>) -> Details {
        Details {
            pid,
            state: "waiting".to_owned(),
            last_exit: last_exit.map(str::to_owned),
        }
    }

    #[test]
    fn the_exit_of_the_previous_process_is_not_that_of_the_new_one() {
        let before = details(Some(5), None);
        let killed = details(None, Some("0"));
        let again = details(Some(6), Some("0"));
        for not_yet in [&before, &killed] {
            assert!(!has_started(not_yet, Some(&before)) && !has_exited(not_yet, Some(&before)));
        }
        assert!(has_started(&again, Some(&before)));
        assert!(has_started(&again, None) && !has_exited(&again, None));
        assert!(has_exited(&killed, None));
        assert!(!has_exited(&details(None, None), None));
    }
}
