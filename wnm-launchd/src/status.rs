//! Reads the states of many jobs, from a single list if possible.

use std::collections::HashMap;

use futures_util::StreamExt;
use wnm_core::id::NodeId;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;

use crate::domain::{Domain, Scope};
use crate::label::Label;
use crate::launchctl::{Details, DomainJobs, Job, Jobs};
use crate::{Launchd, path_exists};

/// How many jobs to query concurrently when each needs its own request.
const CONCURRENCY: usize = 8;

/// Whether and where a job is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JobState {
    /// It is loaded in this domain.
    Loaded(Domain, Details),
    /// It is not loaded in any domain.
    NotLoaded,
}

impl Launchd {
    /// Finds the domain that has a job loaded, and the job's details.
    pub(crate) async fn find_job(&self, label: &Label) -> Result<JobState, ManagerError> {
        for domain in self.scope.domains() {
            if let Some(details) = self.launchctl.job_details(domain, label).await? {
                return Ok(JobState::Loaded(domain, details));
            }
        }
        Ok(JobState::NotLoaded)
    }

    /// Returns the loaded jobs among these, possibly with others. One list is enough if all of them
    /// run. A job that a user's list lacks may be in a domain that the caller is not in, as cron is
    /// outside the graphical session. Each domain then costs one more request, however many jobs
    /// there are.
    pub(crate) async fn loaded_jobs(&self, labels: &[Label]) -> Result<Jobs, ManagerError> {
        let mut jobs = self.launchctl.list().await?;
        let runs = |jobs: &Jobs, label: &Label| {
            let job = jobs.get(&label.to_string());
            job.is_some_and(|job| job.pid.is_some())
        };
        let all_run = labels.iter().all(|label| runs(&jobs, label));
        if all_run || self.scope == Scope::Machine {
            return Ok(jobs);
        }
        for domain in self.scope.domains() {
            let more = match self.launchctl.domain_jobs(domain).await? {
                DomainJobs::Jobs(more) => more,
                DomainJobs::NoDomain => continue,
                DomainJobs::Unreadable => {
                    let missing = labels.iter().filter(|label| !runs(&jobs, label));
                    self.query_each(domain, missing.cloned().collect()).await?
                }
            };
            for (label, job) in more {
                let known = jobs.entry(label).or_insert(job);
                known.pid = known.pid.or(job.pid);
            }
        }
        Ok(jobs)
    }

    /// Queries jobs in a domain one by one, and returns those that are loaded.
    async fn query_each(&self, domain: Domain, labels: Vec<Label>) -> Result<Jobs, ManagerError> {
        let queries = futures_util::stream::iter(labels).map(async |label| {
            let details = self.launchctl.job_details(domain, &label).await?;
            Ok::<_, ManagerError>(
                details.map(|details| (label.to_string(), Job { pid: details.pid })),
            )
        });
        let details: Vec<_> = queries.buffer_unordered(CONCURRENCY).collect().await;
        details.into_iter().filter_map(Result::transpose).collect()
    }

    /// Returns the state of each node.
    pub(crate) async fn node_states(
        &self,
        nodes: &[Node],
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        let labels: Vec<Label> = nodes
            .iter()
            .filter_map(|node| Label::for_node(node).ok())
            .collect();
        let jobs = self.loaded_jobs(&labels).await?;
        let state = |node: &Node| match Label::for_node(node) {
            Ok(label) => self.job_process_state(&label, &jobs),
            Err(error) => ProcessState::Unknown(error.to_string()),
        };
        Ok(nodes.iter().map(|node| (node.id, state(node))).collect())
    }

    /// Returns the state of one job. A job without a process is waiting for launchd to restart it.
    /// It counts as stopped, because wnm spaces retries better.
    pub(crate) fn job_process_state(&self, label: &Label, jobs: &Jobs) -> ProcessState {
        match jobs.get(&label.to_string()) {
            Some(Job { pid: Some(pid) }) => ProcessState::Running { pid: Some(*pid) },
            Some(Job { pid: None }) => ProcessState::Stopped,
            None if path_exists(&self.job_path(label)) => ProcessState::Stopped,
            None => ProcessState::Missing,
        }
    }
}
