//! Starts and stops nodes, and verifies the outcome.

use std::time::Duration;

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::layout;

use crate::client::{ClientError, Details};
use crate::{Systemd, unit_of};

/// How long a node must run to count as started. A program that rejects its arguments or key exits
/// sooner; a later exit shows up in the next status.
const STABLE_AFTER: Duration = Duration::from_millis(300);

/// How many journal lines to quote when a node does not start.
const JOURNAL_LINES: &str = "--lines=5";

/// The journal may be gigabytes on a slow disk, and the error message does not depend on it.
const JOURNAL_TIMEOUT: Duration = Duration::from_secs(5);

/// How to start a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartMode {
    Start,
    Restart,
}

impl Systemd {
    /// Starts a node unless it runs, and enables it at boot.
    pub(crate) async fn start_node(&self, node: &Node) -> Result<(), ManagerError> {
        let unit = &unit_of(node)?;
        if !node.root_dir.is_dir() {
            return Err(ManagerError::NotFound(node.root_dir.display().to_string()));
        }
        self.refresh_unit(node).await?;
        let before = self.client.details(unit).await?;
        self.enable(unit).await?;
        fault::point("systemd.start.enabled");
        if is_running(&before) {
            return Ok(());
        }
        let logs = layout::log_dir(node, &self.context.paths);
        if !logs.is_dir() || !self.context.paths.bootstrap_cache.is_dir() {
            self.make_directories(node).await?;
        }
        // systemd refuses to start a unit that reached its start limit.
        self.client.reset_failed(&[unit.to_owned()]).await?;
        self.start_and_verify(unit, StartMode::Start).await
    }

    /// Starts a unit and verifies that it keeps running. If it does not, stops and disables it:
    /// systemd would restart it endlessly, and retries are up to wnm.
    pub(crate) async fn start_and_verify(
        &self,
        unit: &str,
        mode: StartMode,
    ) -> Result<(), ManagerError> {
        let outcome = match mode {
            StartMode::Start => self.client.start(unit).await,
            StartMode::Restart => self.client.restart(unit).await,
        };
        fault::point(match mode {
            StartMode::Start => "systemd.start.started",
            StartMode::Restart => "systemd.upgrade.restarted",
        });
        let message = match outcome {
            Ok(()) => None,
            Err(ClientError::Rejected { words, .. }) => Some(words),
            Err(error @ ClientError::NoSuchUnit(_)) => Some(error.to_string()),
            Err(error) => return Err(error.into()),
        };
        if message.is_none() {
            tokio::time::sleep(STABLE_AFTER).await;
        }
        let after = self.client.details(unit).await?;
        if is_running(&after) && after.restarts == 0 {
            return Ok(());
        }
        let mut reason = describe_state(&after);
        for more in [message.unwrap_or_default(), self.journal(unit).await] {
            if !more.is_empty() {
                reason.push_str("; ");
                reason.push_str(&more);
            }
        }
        let only = [unit.to_owned()];
        self.client.stop(&only).await?;
        self.disable(unit).await?;
        self.client.reset_failed(&only).await?;
        Err(ManagerError::Rejected {
            what: format!("starting {unit}"),
            words: reason,
        })
    }

    /// Stops a node and disables it at boot.
    pub(crate) async fn stop_node(&self, node: &Node) -> Result<(), ManagerError> {
        let unit = &unit_of(node)?;
        let before = self.client.details(unit).await?;
        if before.load == "not-found" && is_stopped(&before) {
            return Ok(());
        }
        // Disable first: if wnm crashes before the stop, the node does not come back at boot.
        if before.load != "not-found" {
            self.disable(unit).await?;
            fault::point("systemd.stop.disabled");
        }
        self.client.stop(&[unit.to_owned()]).await?;
        fault::point("systemd.stop.stopped");
        let after = self.client.details(unit).await?;
        if is_stopped(&after) {
            return Ok(());
        }
        Err(ManagerError::Rejected {
            what: format!("stopping {unit}"),
            words: describe_state(&after),
        })
    }

    /// Returns the last journal lines of a unit as one line, or nothing if the journal does not
    /// answer in time.
    async fn journal(&self, unit: &str) -> String {
        let spec = self
            .domain
            .change_command("journalctl", JOURNAL_TIMEOUT)
            .args(["--quiet", "--output=cat", JOURNAL_LINES, "--unit", unit]);
        let output = match self.context.runner.run(&spec).await {
            Ok(output) if output.code == Some(0) => output.stdout,
            Ok(_) => return String::new(),
            Err(error) => {
                tracing::debug!(%error, "cannot read the journal");
                return String::new();
            }
        };
        let text = String::from_utf8_lossy(&output);
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        lines
            .join(" | ")
            .chars()
            .filter(|c| !c.is_control())
            .collect()
    }
}

/// Whether the unit runs, or is starting for the first time.
pub(crate) fn is_running(details: &Details) -> bool {
    match details.active.as_str() {
        "active" | "reloading" | "refreshing" => true,
        "activating" => details.sub != "auto-restart",
        _ => false,
    }
}

/// Whether the unit has no process and none is about to start.
pub(crate) fn is_stopped(details: &Details) -> bool {
    matches!(details.active.as_str(), "inactive" | "failed")
}

fn describe_state(details: &Details) -> String {
    let Details {
        load,
        active,
        sub,
        result,
        status,
        ..
    } = details;
    if load != "loaded" {
        return format!("systemd reports the unit as {load}");
    }
    format!("systemd reports {active} ({sub}), result {result}, exit status {status}")
}
