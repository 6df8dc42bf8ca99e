//! Through `systemctl`: works wherever systemd does, and through sudo.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use wnm_core::command::{CommandError, CommandOutput, CommandRunner, CommandSpec};

use super::{Conversation, Details, JOB, QUESTION, RELOAD, TalkError, Unit};
use crate::domain::Domain;

/// Most units named in one command, far below what the kernel lets an argument vector hold.
const UNITS_AT_ONCE: usize = 500;

/// Exit code of a question about units of which some do not run, or of an act that a unit refused.
const FAILED: i32 = 1;

/// Exit code of an act on a unit that is not loaded.
const NOT_LOADED: i32 = 5;

/// Speaks through a command a question.
pub(crate) struct Systemctl {
    domain: Domain,
    runner: Arc<dyn CommandRunner>,
}

#[derive(Deserialize)]
struct ListedUnit {
    unit: String,
    load: String,
    active: String,
}

#[derive(Deserialize)]
struct ListedFile {
    unit_file: String,
}

impl Systemctl {
    /// Commands for this domain.
    pub fn new(domain: Domain, runner: Arc<dyn CommandRunner>) -> Self {
        Self { domain, runner }
    }

    async fn run(&self, spec: &CommandSpec) -> Result<CommandOutput, TalkError> {
        self.runner.run(spec).await.map_err(|error| match error {
            CommandError::NotFound { program } => {
                TalkError::Unreachable(format!("no program '{program}' was found"))
            }
            CommandError::NotPermitted { .. } => TalkError::NotPermitted(error.to_string()),
            CommandError::TimedOut { limit, .. } => TalkError::TimedOut {
                what: words_of(spec),
                limit,
            },
            CommandError::Failed { words, .. } => TalkError::Rejected {
                what: words_of(spec),
                words,
            },
            CommandError::Io { .. } => TalkError::Unreachable(error.to_string()),
        })
    }

    /// Asks. The answer is on the standard output.
    async fn ask(&self, words: &[&str], names: &[String]) -> Result<Vec<u8>, TalkError> {
        let spec = self
            .domain
            .command("systemctl", QUESTION)
            .args(words)
            .arg("--")
            .args(names);
        let output = self.run(&spec).await?;
        // A list in which nothing matches is printed, empty, and ends with 1.
        let is_list = !output.stdout.is_empty() && output.stderr.is_empty();
        match output.code {
            Some(0) => Ok(output.stdout),
            Some(FAILED) if is_list => Ok(output.stdout),
            _ => Err(refusal(&spec, &output)),
        }
    }

    /// Has something done to units. That a unit refused is no error here: it shows in its state.
    async fn act(
        &self,
        limit: Duration,
        words: &[&str],
        units: &[String],
    ) -> Result<(), TalkError> {
        for some in units.chunks(UNITS_AT_ONCE) {
            let spec = self
                .domain
                .acting("systemctl", limit)
                .args(words)
                .arg("--")
                .args(some);
            let output = self.run(&spec).await?;
            match (output.code, refusal(&spec, &output)) {
                (Some(0), _) => {}
                (Some(FAILED | NOT_LOADED), TalkError::Rejected { .. }) => {
                    tracing::debug!(?words, stderr = %text(&output.stderr), "a unit refused");
                }
                (_, refused) => return Err(refused),
            }
        }
        Ok(())
    }

    /// Has something done, and has a refusal told.
    async fn must(
        &self,
        limit: Duration,
        words: &[&str],
        units: &[String],
    ) -> Result<(), TalkError> {
        let spec = self
            .domain
            .acting("systemctl", limit)
            .args(words)
            .arg("--")
            .args(units);
        let output = self.run(&spec).await?;
        match output.code {
            Some(0) => Ok(()),
            _ => Err(refusal(&spec, &output)),
        }
    }
}

#[async_trait]
impl Conversation for Systemctl {
    async fn loaded(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, TalkError> {
        let words = ["list-units", "--output=json", "--all"];
        let loaded = self.ask(&words, patterns).await?;
        let units = parsed::<ListedUnit>(&loaded)?.into_iter().map(|listed| {
            let (load, active) = (listed.load, listed.active);
            (listed.unit, Unit::Loaded { load, active })
        });
        Ok(units.collect())
    }

    async fn units(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, TalkError> {
        let (files, loaded) = tokio::try_join!(
            self.ask(&["list-unit-files", "--output=json"], patterns),
            self.loaded(patterns),
        )?;
        let mut units: HashMap<String, Unit> = parsed::<ListedFile>(&files)?
            .into_iter()
            .map(|file| (file.unit_file, Unit::OnDisk))
            .collect();
        units.extend(loaded);
        Ok(units)
    }

    async fn details(&self, unit: &str) -> Result<Details, TalkError> {
        let wanted = "--property=LoadState,ActiveState,SubState,Result,ExecMainStatus,NRestarts";
        let answer = self.ask(&["show", wanted], &[unit.to_owned()]).await?;
        Ok(details(&text(&answer)))
    }

    async fn is_outdated(&self, unit: &str) -> Result<bool, TalkError> {
        let words = ["show", "--property=NeedDaemonReload", "--value"];
        let answer = self.ask(&words, &[unit.to_owned()]).await?;
        Ok(text(&answer) == "yes")
    }

    async fn start(&self, unit: &str) -> Result<(), TalkError> {
        self.must(JOB, &["start"], &[unit.to_owned()]).await
    }

    async fn restart(&self, unit: &str) -> Result<(), TalkError> {
        self.must(JOB, &["restart"], &[unit.to_owned()]).await
    }

    async fn stop(&self, units: &[String]) -> Result<(), TalkError> {
        self.act(JOB, &["stop"], units).await
    }

    async fn enable(&self, units: &[String]) -> Result<(), TalkError> {
        self.must(RELOAD, &["enable", "--no-reload", "--quiet"], units)
            .await
    }

    async fn disable(&self, units: &[String]) -> Result<(), TalkError> {
        self.must(RELOAD, &["disable", "--no-reload", "--quiet"], units)
            .await
    }

    async fn reload(&self) -> Result<(), TalkError> {
        self.must(RELOAD, &["daemon-reload"], &[]).await
    }

    async fn reset_failed(&self, units: &[String]) -> Result<(), TalkError> {
        self.act(QUESTION, &["reset-failed"], units).await
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

fn words_of(spec: &CommandSpec) -> String {
    let program = spec.program.to_string_lossy().into_owned();
    let args = spec
        .args
        .iter()
        .map(|arg| arg.to_string_lossy().into_owned());
    let words: Vec<String> = std::iter::once(program).chain(args).take(8).collect();
    words.join(" ")
}

/// What an exit code other than 0 means, by what was said with it.
fn refusal(spec: &CommandSpec, output: &CommandOutput) -> TalkError {
    let said = text(&output.stderr);
    let lower = said.to_lowercase();
    let what = words_of(spec);
    let says = |words: &[&str]| words.iter().any(|words| lower.contains(words));
    if let Err(CommandError::NotPermitted { program, words }) = output.clone().success(spec) {
        return TalkError::NotPermitted(format!("{program}: {words}"));
    }
    if says(&[
        "authentication required",
        "access denied",
        "permission denied",
    ]) {
        return TalkError::NotPermitted(format!("{what}: {said}"));
    }
    if says(&[
        "failed to connect to",
        "not been booted with systemd",
        "transport endpoint",
    ]) {
        return TalkError::Unreachable(said);
    }
    TalkError::Rejected { what, words: said }
}

fn parsed<T: for<'a> Deserialize<'a>>(json: &[u8]) -> Result<Vec<T>, TalkError> {
    // Some versions print nothing at all for an empty list.
    if json.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_slice(json).map_err(|error| {
        TalkError::Unreachable(format!("systemctl answered what cannot be read: {error}"))
    })
}

fn details(answer: &str) -> Details {
    let mut details = Details::default();
    for (key, value) in answer.lines().filter_map(|line| line.split_once('=')) {
        let word = || value.to_owned();
        match key {
            "LoadState" => details.load = word(),
            "ActiveState" => details.active = word(),
            "SubState" => details.sub = word(),
            "Result" => details.result = word(),
            "ExecMainStatus" => details.status = value.parse().unwrap_or_default(),
            "NRestarts" => details.restarts = value.parse().unwrap_or_default(),
            _ => {}
        }
    }
    details
}
