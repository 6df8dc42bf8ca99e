//! What launchd has of many jobs, from one list where that is enough.

use std::collections::HashMap;

use futures_util::StreamExt;
use wnm_core::id::NodeId;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;

use crate::domain::{Domain, Reach};
use crate::label::Label;
use crate::launchctl::{Details, Job, Jobs, Table};
use crate::{Launchd, is_taken};

/// Questions asked at once where each job has to be asked for.
const AT_ONCE: usize = 8;

/// What launchd has of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Held {
    /// It is in this domain.
    In(Domain, Details),
    /// It is in none.
    Nowhere,
}

impl Launchd {
    /// Where one job is held, and how it stands.
    pub(crate) async fn held(&self, label: &Label) -> Result<Held, ManagerError> {
        for domain in self.reach.domains() {
            if let Some(details) = self.talk.look(domain, label).await? {
                return Ok(Held::In(domain, details));
            }
        }
        Ok(Held::Nowhere)
    }

    /// The jobs of these that launchd holds. One list, if all are in it. What is missing in the list of a user may
    /// be in a domain that the caller is not in, as cron is not in that of the screen; so the domains are asked,
    /// which is a question more for each, however many jobs there are.
    pub(crate) async fn holding(&self, labels: &[Label]) -> Result<Jobs, ManagerError> {
        let mut jobs = self.talk.list().await?;
        let runs = |jobs: &Jobs, label: &Label| {
            let job = jobs.get(&label.to_string());
            job.is_some_and(|job| job.pid.is_some())
        };
        let all_run = labels.iter().all(|label| runs(&jobs, label));
        if all_run || self.reach == Reach::Machine {
            return Ok(jobs);
        }
        for domain in self.reach.domains() {
            let more = match self.talk.table(domain).await? {
                Table::Jobs(more) => more,
                Table::NoDomain => continue,
                Table::Unreadable => {
                    let missing = labels.iter().filter(|label| !runs(&jobs, label));
                    self.each(domain, missing.cloned().collect()).await?
                }
            };
            for (label, job) in more {
                let known = jobs.entry(label).or_insert(job);
                known.pid = known.pid.or(job.pid);
            }
        }
        Ok(jobs)
    }

    /// The jobs of these in a domain, asked for one by one.
    async fn each(&self, domain: Domain, labels: Vec<Label>) -> Result<Jobs, ManagerError> {
        let looks = futures_util::stream::iter(labels).map(async |label| {
            let details = self.talk.look(domain, &label).await?;
            Ok::<_, ManagerError>(
                details.map(|details| (label.to_string(), Job { pid: details.pid })),
            )
        });
        let looked: Vec<_> = looks.buffer_unordered(AT_ONCE).collect().await;
        looked.into_iter().filter_map(Result::transpose).collect()
    }

    /// What launchd says of each node.
    pub(crate) async fn states(
        &self,
        nodes: &[Node],
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        let labels: Vec<Label> = nodes
            .iter()
            .filter_map(|node| Label::of(node).ok())
            .collect();
        let jobs = self.holding(&labels).await?;
        let state = |node: &Node| match Label::of(node) {
            Ok(label) => self.state(&label, &jobs),
            Err(error) => ProcessState::Unknown(error.to_string()),
        };
        Ok(nodes.iter().map(|node| (node.id, state(node))).collect())
    }

    /// What is said of one job. One without a process waits to be started again by launchd; wnm spaces such starts
    /// out better, so it is for wnm to see that it does not run.
    pub(crate) fn state(&self, label: &Label, jobs: &Jobs) -> ProcessState {
        match jobs.get(&label.to_string()) {
            Some(Job { pid: Some(pid) }) => ProcessState::Running { pid: Some(*pid) },
            Some(Job { pid: None }) => ProcessState::Stopped,
            None if is_taken(&self.file_of(label)) => ProcessState::Stopped,
            None => ProcessState::Missing,
        }
    }
}
