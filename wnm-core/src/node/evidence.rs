//! From what was seen of a node to what is recorded of it. Pure.
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

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::node::{DesiredState, Node, NodeMeasurements, Observed, ObservedState, TransitionKind};
use crate::quantity::{Seconds, UnixTime};

/// How much later than recorded a node may say that it came up before that counts as another start. Nodes
/// count their uptime in steps of ten seconds and take a few to begin.
const UPTIME_SLACK: Seconds = Seconds(60);

/// What a supervisor says of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessState {
    /// A process runs.
    Running {
        /// Its number, where the supervisor is to be believed about it.
        pid: Option<u32>,
    },
    /// The service is there, no process runs.
    Stopped,
    /// The service does not exist.
    Missing,
    /// It did not say, for this reason.
    Unknown(String),
}

/// What a node said of itself in one survey.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeReport {
    /// Its version.
    pub version: Option<Version>,
    /// Its name in the network.
    pub peer_id: Option<String>,
    /// Its figures.
    pub measured: NodeMeasurements,
}

/// What came of asking one node.
#[derive(Debug, Clone, PartialEq)]
pub enum Probe {
    /// It answered as a node.
    Answered(Box<NodeReport>),
    /// Nothing listens there.
    Refused,
    /// Something is there that did not answer as a node does, for this reason.
    Silent(String),
}

/// What was found where a node's data should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootState {
    /// The directory is there.
    Present,
    /// It is gone, and the storage it was in is there.
    Gone,
    /// Nobody can say: the storage itself is missing (a disk that is not mounted), or cannot be read.
    Unknown,
}

/// Everything seen of one node.
#[derive(Debug, Clone)]
pub struct NodeEvidence {
    /// What its supervisor says.
    pub process: ProcessState,
    /// What itself says; `None` when it was not asked.
    pub probe: Option<Probe>,
    /// Its directory.
    pub root: RootState,
}

/// Something about a node that nobody did, worth a line in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It did not run and does now.
    CameUp,
    /// It ran, should run, and does not any more.
    WentDown,
    /// Its directory is gone.
    Died,
    /// It runs another version than before.
    ChangedVersion {
        /// What it ran before.
        from: Version,
        /// What it runs now.
        to: Version,
    },
    /// Another node answers on its metrics port. Comes with every look while it lasts.
    ForeignListener {
        /// The peer id that answers; none where it says none.
        peer_id: Option<String>,
    },
}

impl Seen {
    /// The word that the journal uses.
    pub const fn word(&self) -> &'static str {
        match self {
            Seen::CameUp => "came-up",
            Seen::WentDown => "went-down",
            Seen::Died => "died",
            Seen::ChangedVersion { .. } => "changed-version",
            Seen::ForeignListener { .. } => "foreign-listener",
        }
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Seen::CameUp => f.write_str("runs again without having been started"),
            Seen::WentDown => f.write_str("does not run any more without having been stopped"),
            Seen::Died => f.write_str("its directory is gone"),
            Seen::ChangedVersion { from, to } => write!(f, "runs {to} now, ran {from} before"),
            Seen::ForeignListener {
                peer_id: Some(peer_id),
            } => write!(f, "another node ({peer_id}) answers on its metrics port"),
            Seen::ForeignListener { peer_id: None } => {
                f.write_str("something else answers on its metrics port")
            }
        }
    }
}

/// Records what was just seen of a node, and returns what of it nobody did.
pub fn observe_node(node: &mut Node, evidence: &NodeEvidence, now: UnixTime) -> Vec<Seen> {
    let before = node.observed.state;
    let word = node.status();
    let answer = Answer::of(node, evidence.probe.as_ref());
    let state = state(&evidence.process, &answer, evidence.root);
    node.observed = Observed { state, at: now };

    let mut seen = Vec::new();
    seen.extend(change(node, before));
    match (&answer, state) {
        (Answer::Own(report) | Answer::Plausible(report), ObservedState::Running) => {
            note_start(node, Some(report), before, now);
            seen.extend(take_report(node, report));
        }
        (_, ObservedState::Running) => note_start(node, None, before, now),
        (_, ObservedState::Stopped | ObservedState::Dead) => {
            node.measured = node.measured.of_a_stopped_node();
        }
        (_, ObservedState::Unknown) => {}
    }
    match (&answer, state) {
        (Answer::Foreign(report), _)
        | (Answer::Plausible(report), ObservedState::Stopped | ObservedState::Dead) => {
            seen.push(Seen::ForeignListener {
                peer_id: report.peer_id.clone(),
            });
        }
        _ => {}
    }
    if node.status() != word {
        node.status_since = now;
    }
    seen
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
    fn of(node: &Node, probe: Option<&'a Probe>) -> Self {
        let Some(Probe::Answered(report)) = probe else {
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
fn state(process: &ProcessState, answer: &Answer<'_>, root: RootState) -> ObservedState {
    match (process, answer, root) {
        (ProcessState::Running { .. }, _, _) | (_, Answer::Own(_), _) => ObservedState::Running,
        (ProcessState::Unknown(_), _, _) => ObservedState::Unknown,
        (ProcessState::Stopped | ProcessState::Missing, _, root) => match root {
            RootState::Present => ObservedState::Stopped,
            RootState::Gone => ObservedState::Dead,
            RootState::Unknown => ObservedState::Unknown,
        },
    }
}

/// A change of state that no transition and no wish accounts for.
fn change(node: &Node, before: ObservedState) -> Option<Seen> {
    use ObservedState::{Dead, Running, Stopped};
    let kept_up = node.desired.state == DesiredState::Running
        && node.transition.is_none_or(|transition| {
            transition.acted
                && !matches!(
                    transition.kind,
                    TransitionKind::Stopping | TransitionKind::Removing
                )
        });
    match (before, node.observed.state) {
        (Stopped | Dead, Running) if !is_starting(node) => Some(Seen::CameUp),
        (Running, Stopped) if kept_up => Some(Seen::WentDown),
        (before, Dead) if before != Dead && node.desired.state != DesiredState::Absent => {
            Some(Seen::Died)
        }
        _ => None,
    }
}

fn is_starting(node: &Node) -> bool {
    matches!(
        node.under_way(),
        Some(TransitionKind::Adding | TransitionKind::Starting | TransitionKind::Upgrading)
    )
}

/// Notes a start that wnm did not make: of its supervisor, of a person, of the node itself.
fn note_start(node: &mut Node, report: Option<&NodeReport>, before: ObservedState, now: UnixTime) {
    let uptime = report.map_or(0, |report| report.measured.uptime);
    if uptime > 0 {
        let began = UnixTime(now.0.saturating_sub_unsigned(uptime));
        if node
            .last_start
            .is_none_or(|last| began > last.plus(UPTIME_SLACK))
        {
            node.last_start = Some(began);
        }
    } else if matches!(before, ObservedState::Stopped | ObservedState::Dead) && !is_starting(node) {
        node.last_start = Some(now);
    }
}

/// Takes over what a node says of itself. What it does not say keeps its last value.
fn take_report(node: &mut Node, report: &NodeReport) -> Option<Seen> {
    node.measured = report.measured.clone();
    if report.peer_id.is_some() {
        node.peer_id.clone_from(&report.peer_id);
    }
    let to = report.version.as_ref()?;
    let from = node.version.replace(to.clone())?;
    let told = node.under_way() == Some(TransitionKind::Upgrading);
    (from != *to && !told).then(|| Seen::ChangedVersion {
        from,
        to: to.clone(),
    })
}

#[cfg(test)]
pub(super) mod tests;
