//! Starting and stopping, and what came of it.

use std::time::Duration;

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::layout;

use crate::conversation::{Details, TalkError};
use crate::{Systemd, unit_of};

/// A program that is refused its arguments or its key ends within this; one that still runs is taken as
/// started. What ends it later shows in the next status.
const STAYS_FOR: Duration = Duration::from_millis(300);

/// Last lines of the journal that are shown when a node does not start.
const JOURNAL_LINES: &str = "--lines=5";

/// The journal may be gigabytes on a slow disk; it is an addition to the answer and not the answer.
const JOURNAL: Duration = Duration::from_secs(5);

/// How a unit is set going.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Going {
    Start,
    Restart,
}

impl Systemd {
    /// Starts a node unless it runs, and has it come up with the machine.
    pub(crate) async fn launch(&self, node: &Node) -> Result<(), ManagerError> {
        let unit = &unit_of(node)?;
        if !node.root_dir.is_dir() {
            return Err(ManagerError::NotFound(node.root_dir.display().to_string()));
        }
        self.refresh_unit(node).await?;
        let before = self.talk.details(unit).await?;
        self.enable(unit).await?;
        fault::point("systemd.start.enabled");
        if runs(&before) {
            return Ok(());
        }
        let logs = layout::log_dir(node, &self.context.paths);
        if !logs.is_dir() || !self.context.paths.bootstrap_cache.is_dir() {
            self.make_directories(node).await?;
        }
        // Otherwise a unit that was given up stays so.
        self.talk.reset_failed(&[unit.to_owned()]).await?;
        self.go(unit, Going::Start).await
    }

    /// Sets a unit going, and sees that it stays. One that does not is stopped again: it would be started over
    /// and over, and the node is wnm's to try.
    pub(crate) async fn go(&self, unit: &str, going: Going) -> Result<(), ManagerError> {
        let gone = match going {
            Going::Start => self.talk.start(unit).await,
            Going::Restart => self.talk.restart(unit).await,
        };
        fault::point(match going {
            Going::Start => "systemd.start.started",
            Going::Restart => "systemd.upgrade.restarted",
        });
        let said = match gone {
            Ok(()) => None,
            Err(TalkError::Rejected { words, .. }) => Some(words),
            Err(error @ TalkError::NoSuchUnit(_)) => Some(error.to_string()),
            Err(error) => return Err(error.into()),
        };
        if said.is_none() {
            tokio::time::sleep(STAYS_FOR).await;
        }
        let after = self.talk.details(unit).await?;
        if runs(&after) && after.restarts == 0 {
            return Ok(());
        }
        let mut words = state_words(&after);
        for more in [said.unwrap_or_default(), self.journal(unit).await] {
            if !more.is_empty() {
                words.push_str("; ");
                words.push_str(&more);
            }
        }
        let only = [unit.to_owned()];
        self.talk.stop(&only).await?;
        self.disable(unit).await?;
        self.talk.reset_failed(&only).await?;
        Err(ManagerError::Rejected {
            what: format!("starting {unit}"),
            words,
        })
    }

    /// Stops a node and has it stay stopped when the machine comes up again.
    pub(crate) async fn end(&self, node: &Node) -> Result<(), ManagerError> {
        let unit = &unit_of(node)?;
        let before = self.talk.details(unit).await?;
        if before.load == "not-found" && is_still(&before) {
            return Ok(());
        }
        // First, so that a crash in between leaves no node that comes back.
        if before.load != "not-found" {
            self.disable(unit).await?;
            fault::point("systemd.stop.disabled");
        }
        self.talk.stop(&[unit.to_owned()]).await?;
        fault::point("systemd.stop.stopped");
        let after = self.talk.details(unit).await?;
        if is_still(&after) {
            return Ok(());
        }
        Err(ManagerError::Rejected {
            what: format!("stopping {unit}"),
            words: state_words(&after),
        })
    }

    /// The last that the journal has of a unit, in one line; nothing where it says nothing in time.
    async fn journal(&self, unit: &str) -> String {
        let spec = self.domain.acting("journalctl", JOURNAL).args([
            "--quiet",
            "--output=cat",
            JOURNAL_LINES,
            "--unit",
            unit,
        ]);
        let output = match self.context.runner.run(&spec).await {
            Ok(output) if output.code == Some(0) => output.stdout,
            Ok(_) => return String::new(),
            Err(error) => {
                tracing::debug!(%error, "the journal says nothing");
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

/// Whether a process runs, or is about to without having failed.
pub(crate) fn runs(details: &Details) -> bool {
    match details.active.as_str() {
        "active" | "reloading" | "refreshing" => true,
        "activating" => details.sub != "auto-restart",
        _ => false,
    }
}

/// Whether no process is left and none comes.
pub(crate) fn is_still(details: &Details) -> bool {
    matches!(details.active.as_str(), "inactive" | "failed")
}

fn state_words(details: &Details) -> String {
    let Details {
        load,
        active,
        sub,
        result,
        status,
        ..
    } = details;
    if load != "loaded" {
        return format!("systemd has the unit as {load}");
    }
    format!("systemd says {active} ({sub}), result {result}, exit status {status}")
}
