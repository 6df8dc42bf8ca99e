//! The conversation with launchd, through launchctl(1).

mod answer;
pub(crate) mod printed;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use wnm_core::command::{CommandRunner, CommandSpec};
use wnm_core::manager::ManagerError;
use wnm_host::command::AsRoot;

pub(crate) use answer::{Meaning, TalkError};
pub(crate) use printed::{Details, Job};

use crate::domain::{Domain, Reach};
use crate::label::Label;

/// Questions are answered from memory.
const QUESTION: Duration = Duration::from_secs(30);

/// launchd takes acts and does them afterwards.
const ACT: Duration = Duration::from_secs(60);

/// The jobs of a domain, by label.
pub(crate) type Jobs = HashMap<String, Job>;

/// Asks launchd, and tells it what to do. What came of an act is asked afterwards.
pub(crate) struct Launchctl {
    reach: Reach,
    runner: Arc<dyn CommandRunner>,
}

impl Launchctl {
    /// Speaks for those in reach.
    pub fn new(reach: Reach, runner: Arc<dyn CommandRunner>) -> Self {
        Self { reach, runner }
    }

    /// The jobs of the domain that the caller is in, in one question however many there are.
    pub async fn list(&self) -> Result<Jobs, TalkError> {
        // Of the machine only for root: anyone else is told of their own jobs.
        let said = self.run(self.spec(QUESTION, &["list"])).await?;
        printed::list(&said).ok_or_else(|| no_answer("launchctl list"))
    }

    /// The jobs of a domain. `None` where there is no such domain, or its answer has another form than is known:
    /// launchctl(1) promises none.
    pub async fn table(&self, domain: Domain) -> Result<Table, TalkError> {
        let asked = self
            .run(self.spec(QUESTION, &["print", &domain.to_string()]))
            .await;
        match asked {
            Ok(said) => Ok(printed::table(&said).map_or(Table::Unreadable, Table::Jobs)),
            Err(error) => match error.meaning() {
                Some(Meaning::NoDomain | Meaning::Gone) => Ok(Table::NoDomain),
                // Before there were domains, the list was all there is.
                Some(Meaning::Unsupported) => Ok(Table::NoDomain),
                _ => Err(error),
            },
        }
    }

    /// What launchd has of one job; `None` where it does not hold it.
    pub async fn look(&self, domain: Domain, label: &Label) -> Result<Option<Details>, TalkError> {
        let asked = self
            .run(self.spec(QUESTION, &["print", &domain.target(label)]))
            .await;
        match asked {
            Ok(said) => match printed::details(&said) {
                Some(details) => Ok(Some(details)),
                None => Err(no_answer(&format!(
                    "launchctl print {}",
                    domain.target(label)
                ))),
            },
            Err(error) => match error.meaning() {
                Some(Meaning::Gone | Meaning::NoDomain) => Ok(None),
                Some(Meaning::Unsupported) => self.look_in_list(domain, label).await,
                _ => Err(error),
            },
        }
    }

    async fn look_in_list(
        &self,
        domain: Domain,
        label: &Label,
    ) -> Result<Option<Details>, TalkError> {
        // Where one list is all there is, it stands for the first domain.
        if self.reach.domains().first() != Some(&domain) {
            return Ok(None);
        }
        let jobs = self.list().await?;
        Ok(jobs.get(&label.to_string()).map(Details::of))
    }

    /// Has a domain take the job that a file describes. launchd starts it.
    pub async fn bootstrap(&self, domain: Domain, file: &Path) -> Result<(), TalkError> {
        let modern = self
            .spec(ACT, &["bootstrap", &domain.to_string()])
            .arg(file);
        self.act(modern, &["load", "-w"], file).await
    }

    /// Has a domain let go of a job and end its process, which takes its time.
    pub async fn bootout(
        &self,
        domain: Domain,
        label: &Label,
        file: &Path,
    ) -> Result<(), TalkError> {
        let modern = self.spec(ACT, &["bootout", &domain.target(label)]);
        self.act(modern, &["unload", "-w"], file).await
    }

    /// Ends the process of a job and starts it again.
    pub async fn kickstart(&self, domain: Domain, label: &Label) -> Result<(), TalkError> {
        let spec = self.spec(ACT, &["kickstart", "-k", &domain.target(label)]);
        self.run(spec).await.map(drop)
    }

    /// Has a job come up with the machine, or with the login.
    pub async fn enable(&self, label: &Label) -> Result<(), TalkError> {
        self.set("enable", label).await
    }

    /// Has it not.
    pub async fn disable(&self, label: &Label) -> Result<(), TalkError> {
        self.set("disable", label).await
    }

    async fn set(&self, verb: &str, label: &Label) -> Result<(), TalkError> {
        let target = self.reach.overrides().target(label);
        match self.run(self.spec(ACT, &[verb, &target])).await {
            // There `load -w` and `unload -w` do it.
            Err(error) if error.meaning() == Some(Meaning::Unsupported) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Does something, with the former subcommand where the present one does not exist. That one ends with 0
    /// whatever comes of it, so what it says is all there is to go by.
    async fn act(&self, spec: CommandSpec, former: &[&str], file: &Path) -> Result<(), TalkError> {
        match self.run(spec).await {
            Err(error) if error.meaning() == Some(Meaning::Unsupported) => {}
            other => return other.map(drop),
        }
        let spec = self.spec(ACT, former).arg(file);
        let output = self.runner.run(&spec).await.map_err(ManagerError::from)?;
        answer::judge_by_words(&spec, output)
    }

    fn spec(&self, deadline: Duration, words: &[&str]) -> CommandSpec {
        let spec = CommandSpec::new("launchctl", deadline).args(words);
        match self.reach {
            Reach::Machine => spec.as_root(),
            Reach::Caller(_) => spec,
        }
    }

    async fn run(&self, spec: CommandSpec) -> Result<String, TalkError> {
        let output = self.runner.run(&spec).await.map_err(ManagerError::from)?;
        answer::judge(&spec, output)
    }
}

/// What is known of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Table {
    /// These jobs are in it.
    Jobs(Jobs),
    /// It does not exist, so that nothing is in it.
    NoDomain,
    /// It answered in words that are not known.
    Unreadable,
}

fn no_answer(what: &str) -> TalkError {
    TalkError::Other(ManagerError::Unreachable {
        supervisor: "launchd".to_owned(),
        reason: format!("{what} gave no answer that can be read"),
    })
}
