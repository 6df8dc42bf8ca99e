//! Talks to systemd through `systemctl`, which works wherever systemd does, and through sudo.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use wnm_core::command::{CommandError, CommandOutput, CommandRunner, CommandSpec};

use super::{Client, ClientError, Details, JOB_TIMEOUT, QUERY_TIMEOUT, RELOAD_TIMEOUT, Unit};
use crate::domain::Domain;

/// Maximum number of units per command, far below the kernel's limit for arguments.
const MAX_UNITS: usize = 500;

/// Exit code of a query when some units do not run, or of a change that a unit refused.
const FAILED: i32 = 1;

/// Exit code of a change to a unit that is not loaded.
const NOT_LOADED: i32 = 5;

/// A client that runs one command per request.
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
    /// Creates a client for this domain.
    pub fn new(domain: Domain, runner: Arc<dyn CommandRunner>) -> Self {
        Self { domain, runner }
    }

    async fn run(&self, spec: &CommandSpec) -> Result<CommandOutput, ClientError> {
        self.runner.run(spec).await.map_err(|error| match error {
            CommandError::NotFound { program } => {
                ClientError::Unreachable(format!("cannot find the program '{program}'"))
            }
            CommandError::NotPermitted { .. } => ClientError::NotPermitted(error.to_string()),
            CommandError::TimedOut { limit, .. } => ClientError::TimedOut {
                what: command_line(spec),
                limit,
            },
            CommandError::Failed { words, .. } => ClientError::Rejected {
                what: command_line(spec),
                words,
            },
            CommandError::Io { .. } => ClientError::Unreachable(error.to_string()),
        })
    }

    /// Runs a query and returns its standard output.
    async fn query(&self, words: &[&str], names: &[String]) -> Result<Vec<u8>, ClientError> {
        let spec = self
            .domain
            .query_command("systemctl", QUERY_TIMEOUT)
            .args(words)
            .arg("--")
            .args(names);
        let output = self.run(&spec).await?;
        // systemctl prints an empty list and exits with 1 if nothing matches.
        let is_list = !output.stdout.is_empty() && output.stderr.is_empty();
        match output.code {
            Some(0) => Ok(output.stdout),
            Some(FAILED) if is_list => Ok(output.stdout),
            _ => Err(client_error(&spec, &output)),
        }
    }

    /// Changes units. Ignores the refusals of single units, which show in their state.
    async fn try_change(
        &self,
        limit: Duration,
        words: &[&str],
        units: &[String],
    ) -> Result<(), ClientError> {
        for chunk in units.chunks(MAX_UNITS) {
            let spec = self
                .domain
                .change_command("systemctl", limit)
                .args(words)
                .arg("--")
                .args(chunk);
            let output = self.run(&spec).await?;
            match (output.code, client_error(&spec, &output)) {
                (Some(0), _) => {}
                (Some(FAILED | NOT_LOADED), ClientError::Rejected { .. }) => {
                    tracing::debug!(?words, stderr = %text(&output.stderr), "a unit refused the change");
                }
                (_, refused) => return Err(refused),
            }
        }
        Ok(())
    }

    /// Changes units, and returns an error if any of them refuses.
    async fn change(
        &self,
        limit: Duration,
        words: &[&str],
        units: &[String],
    ) -> Result<(), ClientError> {
        let spec = self
            .domain
            .change_command("systemctl", limit)
            .args(words)
            .arg("--")
            .args(units);
        let output = self.run(&spec).await?;
        match output.code {
            Some(0) => Ok(()),
            _ => Err(client_error(&spec, &output)),
        }
    }
}

#[async_trait]
impl Client for Systemctl {
    async fn loaded(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, ClientError> {
        let words = ["list-units", "--output=json", "--all"];
        let loaded = self.query(&words, patterns).await?;
        let units = parse_list::<ListedUnit>(&loaded)?
            .into_iter()
            .map(|listed| {
                let (load, active) = (listed.load, listed.active);
                (listed.unit, Unit::Loaded { load, active })
            });
        Ok(units.collect())
    }

    async fn units(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, ClientError> {
        let (files, loaded) = tokio::try_join!(
            self.query(&["list-unit-files", "--output=json"], patterns),
            self.loaded(patterns),
        )?;
        let mut units: HashMap<String, Unit> = parse_list::<ListedFile>(&files)?
            .into_iter()
            .map(|file| (file.unit_file, Unit::OnDisk))
            .collect();
        units.extend(loaded);
        Ok(units)
    }

    async fn details(&self, unit: &str) -> Result<Details, ClientError> {
        let wanted = "--property=LoadState,ActiveState,SubState,Result,ExecMainStatus,NRestarts";
        let answer = self.query(&["show", wanted], &[unit.to_owned()]).await?;
        Ok(parse_details(&text(&answer)))
    }

    async fn is_outdated(&self, unit: &str) -> Result<bool, ClientError> {
        let words = ["show", "--property=NeedDaemonReload", "--value"];
        let answer = self.query(&words, &[unit.to_owned()]).await?;
        Ok(text(&answer) == "yes")
    }

    async fn start(&self, unit: &str) -> Result<(), ClientError> {
        self.change(JOB_TIMEOUT, &["start"], &[unit.to_owned()])
            .await
    }

    async fn restart(&self, unit: &str) -> Result<(), ClientError> {
        self.change(JOB_TIMEOUT, &["restart"], &[unit.to_owned()])
            .await
    }

    async fn stop(&self, units: &[String]) -> Result<(), ClientError> {
        self.try_change(JOB_TIMEOUT, &["stop"], units).await
    }

    async fn enable(&self, units: &[String]) -> Result<(), ClientError> {
        self.change(RELOAD_TIMEOUT, &["enable", "--no-reload", "--quiet"], units)
            .await
    }

    async fn disable(&self, units: &[String]) -> Result<(), ClientError> {
        self.change(
            RELOAD_TIMEOUT,
            &["disable", "--no-reload", "--quiet"],
            units,
        )
        .await
    }

    async fn reload(&self) -> Result<(), ClientError> {
        self.change(RELOAD_TIMEOUT, &["daemon-reload"], &[]).await
    }

    async fn reset_failed(&self, units: &[String]) -> Result<(), ClientError> {
        self.try_change(QUERY_TIMEOUT, &["reset-failed"], units)
            .await
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

fn command_line(spec: &CommandSpec) -> String {
    let program = spec.program.to_string_lossy().into_owned();
    let args = spec
        .args
        .iter()
        .map(|arg| arg.to_string_lossy().into_owned());
    let words: Vec<String> = std::iter::once(program).chain(args).take(8).collect();
    words.join(" ")
}

/// Maps a failed command to a client error, based on its output.
fn client_error(spec: &CommandSpec, output: &CommandOutput) -> ClientError {
    let message = text(&output.stderr);
    let lower = message.to_lowercase();
    let what = command_line(spec);
    let contains_any = |words: &[&str]| words.iter().any(|words| lower.contains(words));
    if let Err(CommandError::NotPermitted { program, words }) = output.clone().success(spec) {
        return ClientError::NotPermitted(format!("{program}: {words}"));
    }
    if contains_any(&[
        "authentication required",
        "access denied",
        "permission denied",
    ]) {
        return ClientError::NotPermitted(format!("{what}: {message}"));
    }
    if contains_any(&[
        "failed to connect to",
        "not been booted with systemd",
        "transport endpoint",
    ]) {
        return ClientError::Unreachable(message);
    }
    ClientError::Rejected {
        what,
        words: message,
    }
}

fn parse_list<T: for<'a> Deserialize<'a>>(json: &[u8]) -> Result<Vec<T>, ClientError> {
    // Some versions print nothing for an empty list.
    if json.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_slice(json).map_err(|error| {
        ClientError::Unreachable(format!("cannot parse the output of systemctl: {error}"))
    })
}

fn parse_details(answer: &str) -> Details {
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
