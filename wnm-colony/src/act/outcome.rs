//! What the record of a node becomes after a step. Pure.

use super::perform::Performed;
use wnm_core::decide::{Act, Step};
use wnm_core::event::{Event, Outcome};
use wnm_core::manager::ManagerError;
use wnm_core::node::{Actor, Node, Observed, ObservedState, Transition, TransitionKind};
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
    let mut after = match &result {
        Ok(performed) => succeeded(node, step, performed, was_running, now),
        Err(error) if error.leaves_it_open() => Some(node.clone()),
        Err(_) => Some(failed(node, now)),
    };
    if let Some(after) = &mut after
        && after.status() != node.status()
    {
        after.status_since = now;
    }
    let reason = match &error {
        Some(error) => format!("{}: {error}", step.reason),
        None => step.reason.to_string(),
    };
    let event = Event {
        at: now,
        node: Some(node.id),
        action: action_word(node, step),
        outcome,
        reason,
    };
    After {
        node: after,
        event,
        error,
    }
}

/// A resumed step is told by what is resumed.
fn action_word(node: &Node, step: &Step) -> String {
    match (step.act, node.under_way()) {
        (Act::Resume, Some(kind)) => format!("resume {kind}"),
        (act, _) => act.word().to_owned(),
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
    let seen = |state| Observed { state, at: now };
    match performed {
        Performed::Added(added) => {
            next.service.clone_from(&added.service);
            next.binary.clone_from(&added.binary);
            next.root_dir.clone_from(&added.root_dir);
            next.log_dir.clone_from(&added.log_dir);
            next.ports = added.ports;
            next.container = added.container;
            next.transition = Some(acted(TransitionKind::Starting, now));
            next.observed = seen(ObservedState::Running);
            next.last_start = Some(now);
        }
        Performed::Started { version } => {
            next.version = version.clone().or(next.version);
            next.transition = Some(acted(TransitionKind::Starting, now));
            next.observed = seen(ObservedState::Running);
            next.last_start = Some(now);
        }
        Performed::Upgraded { version } => {
            next.version = Some(version.clone());
            next.transition = Some(acted(TransitionKind::Upgrading, now));
            next.last_start = Some(now);
        }
        Performed::Stopped => {
            next.transition = None;
            next.observed = seen(ObservedState::Stopped);
            next.measured = next.measured.of_a_stopped_node();
        }
        // The load of a node that ran settles before the next one goes, so its row stays for that long. A
        // person who asked for the removal is not kept waiting for the row to go.
        Performed::Removed if was_running && step.by == Actor::Wnm => {
            next.transition = Some(acted(TransitionKind::Removing, now));
            next.observed = seen(ObservedState::Stopped);
            next.measured = next.measured.of_a_stopped_node();
        }
        Performed::Removed | Performed::Forgotten | Performed::Undone { .. } => return None,
    }
    Some(next)
}

/// A step that was refused is over, except a removal, which is wanted until it is done.
fn failed(node: &Node, now: UnixTime) -> Node {
    let mut next = node.clone();
    match node.under_way() {
        Some(TransitionKind::Starting | TransitionKind::Upgrading) => {
            next.transition = None;
            next.last_start = Some(now);
            next.failed_starts = next.failed_starts.saturating_add(1);
        }
        Some(TransitionKind::Stopping) => next.transition = None,
        Some(TransitionKind::Adding | TransitionKind::Removing) | None => {}
    }
    next
}

fn acted(kind: TransitionKind, since: UnixTime) -> Transition {
    Transition {
        kind,
        since,
        acted: true,
    }
}
