//! Talks to launchd through launchctl(1).

mod error;
pub(crate) mod parse;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use wnm_core::command::{CommandRunner, CommandSpec};
use wnm_core::manager::ManagerError;
use wnm_host::command::WithRoot;

pub(crate) use error::{LaunchctlError, Refusal};
pub(crate) use parse::{Details, Job};

use crate::domain::{Domain, Scope};
use crate::label::Label;

/// Timeout for a query, which launchd answers from memory.
const QUERY_TIMEOUT: Duration = Duration::from_secs(30);

/// Timeout for a change, which launchd accepts first and carries out later.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(60);

/// The jobs of a domain, keyed by label.
pub(crate) type Jobs = HashMap<String, Job>;

/// Runs launchctl commands. Callers must check the job state for the real outcome of a change.
pub(crate) struct Launchctl {
    scope: Scope,
    runner: Arc<dyn CommandRunner>,
}

impl Launchctl {
    /// Creates a client for the domains in this scope.
    pub fn new(scope: Scope, runner: Arc<dyn CommandRunner>) -> Self {
        Self { scope, runner }
    }

    /// Lists the jobs of the caller's domain, in one request.
    pub async fn list(&self) -> Result<Jobs, LaunchctlError> {
        // Only root sees the system domain; anyone else gets their own jobs.
        let text = self.run(self.spec(QUERY_TIMEOUT, &["list"])).await?;
        parse::list(&text).ok_or_else(|| unparsable("launchctl list"))
    }

    /// Lists the jobs of a domain. launchctl(1) guarantees no output format, so the result may be
    /// [`DomainJobs::Unreadable`].
    pub async fn domain_jobs(&self, domain: Domain) -> Result<DomainJobs, LaunchctlError> {
        let output = self
            .run(self.spec(QUERY_TIMEOUT, &["print", &domain.to_string()]))
            .await;
        match output {
            Ok(text) => Ok(parse::table(&text).map_or(DomainJobs::Unreadable, DomainJobs::Jobs)),
            Err(error) => match error.refusal() {
                Some(Refusal::NoDomain | Refusal::NotLoaded) => Ok(DomainJobs::NoDomain),
                // Before launchd had domains, the list was all there was.
                Some(Refusal::Unsupported) => Ok(DomainJobs::NoDomain),
                _ => Err(error),
            },
        }
    }

    /// Returns the details of a job, or `None` if it is not loaded in this domain.
    pub async fn job_details(
        &self,
        domain: Domain,
        label: &Label,
    ) -> Result<Option<Details>, LaunchctlError> {
        let output = self
            .run(self.spec(QUERY_TIMEOUT, &["print", &domain.target(label)]))
            .await;
        match output {
            Ok(text) => match parse::details(&text) {
                Some(details) => Ok(Some(details)),
                None => Err(unparsable(&format!(
                    "launchctl print {}",
                    domain.target(label)
                ))),
            },
            Err(error) => match error.refusal() {
                Some(Refusal::NotLoaded | Refusal::NoDomain) => Ok(None),
                Some(Refusal::Unsupported) => self.job_details_from_list(domain, label).await,
                _ => Err(error),
            },
        }
    }

    async fn job_details_from_list(
        &self,
        domain: Domain,
        label: &Label,
    ) -> Result<Option<Details>, LaunchctlError> {
        // Without domains, the list stands for the first domain.
        if self.scope.domains().first() != Some(&domain) {
            return Ok(None);
        }
        let jobs = self.list().await?;
        Ok(jobs.get(&label.to_string()).map(Details::from_list))
    }

    /// Loads the job that a file describes into a domain. launchd then starts it.
    pub async fn bootstrap(&self, domain: Domain, file: &Path) -> Result<(), LaunchctlError> {
        let command = self
            .spec(CHANGE_TIMEOUT, &["bootstrap", &domain.to_string()])
            .arg(file);
        self.change(command, &["load", "-w"], file).await
    }

    /// Asks a domain to unload a job and end its process. launchd takes its time.
    pub async fn bootout(
        &self,
        domain: Domain,
        label: &Label,
        file: &Path,
    ) -> Result<(), LaunchctlError> {
        let command = self.spec(CHANGE_TIMEOUT, &["bootout", &domain.target(label)]);
        self.change(command, &["unload", "-w"], file).await
    }

    /// Restarts the process of a job.
    pub async fn kickstart(&self, domain: Domain, label: &Label) -> Result<(), LaunchctlError> {
        let spec = self.spec(CHANGE_TIMEOUT, &["kickstart", "-k", &domain.target(label)]);
        self.run(spec).await.map(drop)
    }

    /// Enables a job at boot or login.
    pub async fn enable(&self, label: &Label) -> Result<(), LaunchctlError> {
        self.set_override("enable", label).await
    }

    /// Disables a job at boot or login.
    pub async fn disable(&self, label: &Label) -> Result<(), LaunchctlError> {
        self.set_override("disable", label).await
    }

    async fn set_override(&self, verb: &str, label: &Label) -> Result<(), LaunchctlError> {
        let target = self.scope.override_domain().target(label);
        match self.run(self.spec(CHANGE_TIMEOUT, &[verb, &target])).await {
            // On such systems `load -w` and `unload -w` do this.
            Err(error) if error.refusal() == Some(Refusal::Unsupported) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Runs a command, or its legacy form if launchctl lacks the subcommand. The legacy form always
    /// exits with 0, so only its error output tells whether it failed.
    async fn change(
        &self,
        spec: CommandSpec,
        legacy: &[&str],
        file: &Path,
    ) -> Result<(), LaunchctlError> {
        match self.run(spec).await {
            Err(error) if error.refusal() == Some(Refusal::Unsupported) => {}
            other => return other.map(drop),
        }
        let spec = self.spec(CHANGE_TIMEOUT, legacy).arg(file);
        let output = self.runner.run(&spec).await.map_err(ManagerError::from)?;
        error::check_legacy_output(&spec, output)
    }

    fn spec(&self, deadline: Duration, words: &[&str]) -> CommandSpec {
        let spec = CommandSpec::new("launchctl", deadline).args(words);
        match self.scope {
            Scope::Machine => spec.with_root(),
            Scope::Caller(_) => spec,
        }
    }

    async fn run(&self, spec: CommandSpec) -> Result<String, LaunchctlError> {
        let output = self.runner.run(&spec).await.map_err(ManagerError::from)?;
        error::check_output(&spec, output)
    }
}

/// What is known about the jobs of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DomainJobs {
    /// It holds these jobs.
    Jobs(Jobs),
    /// The domain does not exist, so it holds no jobs.
    NoDomain,
    /// launchctl printed an unknown format.
    Unreadable,
}

fn unparsable(what: &str) -> LaunchctlError {
    LaunchctlError::Other(ManagerError::Unreachable {
        supervisor: "launchd".to_owned(),
        reason: format!("cannot parse the output of {what}"),
    })
}
