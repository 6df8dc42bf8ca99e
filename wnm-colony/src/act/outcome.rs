//! The record of a node after a step. Pure.

use super::perform::Performed;
use wnm_core::decide::{Reason, Step};
use wnm_core::event::{Event, EventKind, EventReason, Outcome};
use wnm_core::manager::ManagerError;
use wnm_core::node::lifecycle::{self, Completed};
use wnm_core::node::{Actor, Node};
use wnm_core::quantity::UnixTime;

/// What is to be written after a step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct After {
    /// The node's record, or none when its row goes.
    pub node: Option<Node>,
    /// For the journal.
    pub event: Event,
    /// What the failure was, in words.
    pub error: Option<String>,
}

/// The record after what was done, or was tried, with `node` (as it was recorded before the act).
pub(super) fn conclude(
    node: &Node,
    step: &Step,
    was_running: bool,
    result: Result<Performed, ManagerError>,
    now: UnixTime,
) -> After {
    let (outcome, error) = match &result {
        Ok(Performed::Undone { error }) => (Outcome::Failed, Some(error.clone())),
        Ok(_) => (Outcome::Done, None),
        Err(error) if error.leaves_it_open() => (Outcome::Open, Some(error.to_string())),
        Err(error) => (Outcome::Failed, Some(error.to_string())),
    };
    let after = match &result {
        Ok(performed) => succeeded(node, step, performed, was_running, now),
        Err(error) if error.leaves_it_open() => Some(node.clone()),
        Err(_) => {
            let mut next = node.clone();
            lifecycle::fail(&mut next, now);
            Some(next)
        }
    };
    let reason = EventReason::Step {
        reason: step.reason.clone(),
        error: error.clone(),
    };
    let kind = EventKind::of_step(step, Some(node));
    let event = Event::new(now, kind, outcome, reason).about(node.id);
    After {
        node: after,
        event,
        error,
    }
}

fn succeeded(
    node: &Node,
    step: &Step,
    performed: &Performed,
    was_running: bool,
    now: UnixTime,
) -> Option<Node> {
    let mut next = node.clone();
    let completed = match performed {
        Performed::Added(added) => {
            next.service.clone_from(&added.service);
            next.binary.clone_from(&added.binary);
            next.root_dir.clone_from(&added.root_dir);
            next.log_dir.clone_from(&added.log_dir);
            next.ports = added.ports;
            next.container = added.container;
            Completed::Started
        }
        Performed::Started { version } => {
            next.version = version.clone().or(next.version);
            match step.reason {
                Reason::ContainerRestarted { .. } => Completed::Restarted,
                _ => Completed::Started,
            }
        }
        Performed::Upgraded { version } => {
            next.version = Some(version.clone());
            Completed::Upgraded
        }
        Performed::Stopped => Completed::Stopped,
        // The load of a node that ran settles before the next one goes, so its row stays for that long. An
        // operator who asked for the removal is not kept waiting for the row to go.
        Performed::Removed if was_running && step.by == Actor::Wnm => Completed::Removed,
        Performed::Removed | Performed::Forgotten | Performed::Undone { .. } => return None,
    };
    lifecycle::complete(&mut next, completed, now);
    Some(next)
}
