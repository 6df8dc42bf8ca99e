//! Turns evidence about a node into its observed state.
//!
//! The first line that fits says what a node is:
//!
//! | its supervisor says | itself says       | its directory | recorded |
//! |---------------------|-------------------|---------------|----------|
//! | running             | anything          | anything      | running  |
//! | anything            | its own peer id   | anything      | running  |
//! | stopped or missing  | anything          | gone          | dead     |
//! | stopped or missing  | anything          | there         | stopped  |
//! | stopped or missing  | anything          | not to be seen | unknown |
//! | nothing             | anything          | anything      | unknown  |
//!
//! A directory is not to be seen when the disk it is on is not mounted. Such a node is known not to run, but
//! nothing can be done with it, so nothing is tried.
//!
//! A node whose supervisor lost it still runs, and its peer id proves that it is the one that answers. Any
//! other answer proves nothing: a node whose metrics port was taken runs on without, and whoever has the
//! port answers in its place.

use super::change;
use super::state::LifecycleRecord;
use crate::node::{
    DataState, DesiredState, Node, NodeChange, NodeEvidence, NodeReport, Observed, ObservedState,
    ProbeResult, ProcessState, TransitionKind,
};
use crate::quantity::{Seconds, UnixTime};

/// How much later than recorded a node may say that it came up before that counts as another start. Nodes
/// count their uptime in steps of ten seconds and take a few to begin.
const UPTIME_SLACK: Seconds = Seconds(60);

/// Records what was just seen of a node, and returns what of it nobody did.
pub fn observe(node: &mut Node, evidence: &NodeEvidence, now: UnixTime) -> Vec<NodeChange> {
    let before = node.observed().state;
    let answer = Answer::of(node, evidence.probe.as_ref());
    let state = state(&evidence.process, &answer, evidence.root);
    let report = match &answer {
        Answer::Own(report) | Answer::Plausible(report) => Some(*report),
        Answer::None | Answer::Foreign(_) => None,
    };
    change(node, now, |record| {
        record.observed = Observed { state, at: now };
        if state == ObservedState::Running {
            note_start(record, report, before, now);
        }
    });

    let mut changes = Vec::new();
    changes.extend(unexplained(node, before));
    match (report, state) {
        (Some(report), ObservedState::Running) => changes.extend(take_report(node, report)),
        (_, ObservedState::Stopped | ObservedState::Dead) => {
            node.measured = node.measured.of_a_stopped_node();
        }
        (_, ObservedState::Running | ObservedState::Unknown) => {}
    }
    match (&answer, state) {
        (Answer::Foreign(report), _)
        | (Answer::Plausible(report), ObservedState::Stopped | ObservedState::Dead) => {
            changes.push(NodeChange::ForeignListener {
                peer_id: report.peer_id.clone(),
            });
        }
        _ => {}
    }
    changes
}

/// What an answer on a node's metrics port is worth.
enum Answer<'a> {
    /// There was none.
    None,
    /// The node's own, as its peer id proves.
    Own(&'a NodeReport),
    /// Perhaps the node's own: there is no peer id to compare. To be believed of a node that runs, no proof
    /// that it does.
    Plausible(&'a NodeReport),
    /// Somebody else's.
    Foreign(&'a NodeReport),
}

impl<'a> Answer<'a> {
    fn of(node: &Node, probe: Option<&'a ProbeResult>) -> Self {
        let Some(ProbeResult::Answered(report)) = probe else {
            return Answer::None;
        };
        // The Python wnm stores an empty one for a node it has not heard of.
        let known = node.peer_id.as_ref().filter(|id| !id.is_empty());
        match (known, &report.peer_id) {
            (Some(known), Some(said)) if known == said => Answer::Own(report),
            (Some(_), Some(_)) => Answer::Foreign(report),
            _ => Answer::Plausible(report),
        }
    }
}

/// The table at the head of this file.
fn state(process: &ProcessState, answer: &Answer<'_>, root: DataState) -> ObservedState {
    match (process, answer, root) {
        (ProcessState::Running { .. }, _, _) | (_, Answer::Own(_), _) => ObservedState::Running,
        (ProcessState::Unknown(_), _, _) => ObservedState::Unknown,
        (ProcessState::Stopped | ProcessState::Missing, _, root) => match root {
            DataState::Present => ObservedState::Stopped,
            DataState::Gone => ObservedState::Dead,
            DataState::Unknown => ObservedState::Unknown,
        },
    }
}

/// A change of state that no transition and no wish accounts for.
fn unexplained(node: &Node, before: ObservedState) -> Option<NodeChange> {
    use ObservedState::{Dead, Running, Stopped};
    let desired = node.desired().state;
    let kept_up = desired == DesiredState::Running
        && node.transition().is_none_or(|transition| {
            transition.acted
                && !matches!(
                    transition.kind,
                    TransitionKind::Stopping | TransitionKind::Removing
                )
        });
    match (before, node.observed().state) {
        (Stopped | Dead, Running) if !is_starting(&node.lifecycle.record()) => {
            Some(NodeChange::CameUp)
        }
        (Running, Stopped) if kept_up => Some(NodeChange::WentDown),
        (before, Dead) if before != Dead && desired != DesiredState::Absent => {
            Some(NodeChange::Died)
        }
        _ => None,
    }
}

fn is_starting(record: &LifecycleRecord) -> bool {
    [
        TransitionKind::Adding,
        TransitionKind::Starting,
        TransitionKind::Upgrading,
    ]
    .into_iter()
    .any(|kind| record.is_under_way(kind))
}

/// Notes a start that wnm did not make: of its supervisor, of a person, of the node itself.
fn note_start(
    record: &mut LifecycleRecord,
    report: Option<&NodeReport>,
    before: ObservedState,
    now: UnixTime,
) {
    let uptime = report.map_or(0, |report| report.measured.uptime);
    if uptime > 0 {
        let began = UnixTime(now.0.saturating_sub_unsigned(uptime));
        if record
            .last_start
            .is_none_or(|last| began > last.plus(UPTIME_SLACK))
        {
            record.last_start = Some(began);
        }
    } else if matches!(before, ObservedState::Stopped | ObservedState::Dead) && !is_starting(record)
    {
        record.last_start = Some(now);
    }
}

/// Takes over what a node says of itself. What it does not say keeps its last value.
fn take_report(node: &mut Node, report: &NodeReport) -> Option<NodeChange> {
    node.measured = report.measured.clone();
    if report.peer_id.is_some() {
        node.peer_id.clone_from(&report.peer_id);
    }
    let to = report.version.as_ref()?;
    let from = node.version.replace(to.clone())?;
    let expected = node.under_way() == Some(TransitionKind::Upgrading);
    (from != *to && !expected).then(|| NodeChange::ChangedVersion {
        from,
        to: to.clone(),
    })
}

#[cfg(test)]
pub(in crate::node) mod tests;
