use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::planner::Planner;
use super::selection::{first, oldest, to_go};
use super::{Act, Doing, NodeList, Plan, Reason};
use crate::id::NodeId;
use crate::node::{Actor, DesiredState, Node, ObservedState, TransitionKind};
use crate::snapshot::{Snapshot, SupervisorState};

/// Rank of a person's word: above every rule.
const ASKED: u8 = 200;

/// What a person can make wnm do with nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForcedAction {
    /// Add new nodes.
    Add,
    /// Remove nodes with their data.
    Remove,
    /// Give nodes the current binary.
    Upgrade,
    /// Start stopped or disabled nodes.
    Start,
    /// Stop nodes.
    Stop,
    /// Stop nodes and take them out of wnm's hands.
    Disable,
}

impl ForcedAction {
    const fn doing(self) -> Doing {
        match self {
            ForcedAction::Add => Doing::Adding,
            ForcedAction::Remove => Doing::Removing,
            ForcedAction::Upgrade => Doing::Upgrading,
            ForcedAction::Start => Doing::Starting,
            ForcedAction::Stop => Doing::Stopping,
            ForcedAction::Disable => Doing::Disabling,
        }
    }
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForcedRequest {
    /// What to do.
    pub action: ForcedAction,
    /// With which nodes; when empty, wnm chooses `count` of them as a cycle would.
    pub nodes: Vec<NodeId>,
    /// How many, where no nodes are named.
    pub count: u32,
}

impl ForcedRequest {
    /// Refuses what is wrong on any machine, before anyone looks at one.
    pub fn check(&self) -> Result<(), Refusal> {
        match (self.action, self.nodes.is_empty()) {
            (ForcedAction::Add, false) => Err(Refusal::AddByName),
            (ForcedAction::Disable, true) => Err(Refusal::DisableUnnamed),
            (_, true) if self.count == 0 => Err(Refusal::CountZero),
            _ => Ok(()),
        }
    }
}

/// Why it was not done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The supervisor does not answer.
    #[error("the supervisor does not answer, so nothing can be done: {0}")]
    SupervisorSilent(String),
    /// Nodes that do not exist were named.
    #[error("not found: {0}; the node-status report lists all nodes")]
    NoSuchNode(NodeList),
    /// Nodes were named whose removal is under way.
    #[error("already being removed: {0}")]
    BeingRemoved(NodeList),
    /// Nodes were named that the supervisor says nothing of.
    #[error("state unknown: {0}; try again once the supervisor says whether it runs")]
    Unseen(NodeList),
    /// Nodes were named whose directory is gone.
    #[error("dead: {0}; with its directory gone, all that can be done is to remove it")]
    Dead(NodeList),
    /// Nodes were named for an add.
    #[error("new nodes get their numbers from wnm; give --count and no --service-name")]
    AddByName,
    /// A node to be disabled was not named.
    #[error("disabling is for certain nodes; name them with --service-name antnode0001,…")]
    DisableUnnamed,
    /// A count of zero.
    #[error("--count must be at least 1")]
    CountZero,
    /// It would make more nodes than there may be.
    #[error(
        "{nodes} + {wanted} nodes would pass the cap of {cap}; raise it with --node-cap {}",
        nodes.saturating_add(*wanted)
    )]
    PastCap {
        /// Nodes there are; for a start, those that run.
        nodes: u32,
        /// Nodes asked for.
        wanted: u32,
        /// Most there may be.
        cap: u32,
    },
    /// There is no node program to be had.
    #[error("no node program: {0}")]
    NoBinary(String),
    /// There are no numbers or ports for so many new nodes.
    #[error("{0}")]
    NoPort(String),
}

/// Nodes to act on, and what is to be said of those left out.
#[derive(Default)]
struct Choice<'a> {
    nodes: Vec<&'a Node>,
    left_out: Vec<Reason>,
}

pub(super) fn decide(snapshot: &Snapshot, request: &ForcedRequest) -> Result<Plan, Refusal> {
    request.check()?;
    if let SupervisorState::Silent(said) = &snapshot.supervisor {
        return Err(Refusal::SupervisorSilent(said.clone()));
    }
    let needs_binary = matches!(request.action, ForcedAction::Add | ForcedAction::Upgrade);
    if let (true, Err(said)) = (needs_binary, &snapshot.binary) {
        return Err(Refusal::NoBinary(said.clone()));
    }
    let mut planner = Planner::new(snapshot);
    if request.action == ForcedAction::Add {
        add(&mut planner, request)?;
        return Ok(planner.finish_asked());
    }
    let choice = match request.nodes.is_empty() {
        true => chosen(&planner, request.action, request.count),
        false => named(snapshot, request)?,
    };
    if request.action == ForcedAction::Start {
        let wanted = choice.nodes.iter().filter(|node| !comes_up(node)).count();
        respect_cap(&planner, planner.running, wanted)?;
    }
    for reason in choice.left_out {
        planner.hold(request.action.doing(), reason);
    }
    for node in choice.nodes {
        let act = match request.action {
            ForcedAction::Add => Act::Add,
            ForcedAction::Remove => Act::Remove,
            ForcedAction::Upgrade => Act::Upgrade,
            ForcedAction::Start => planner.start_act(node),
            ForcedAction::Stop => Act::Stop,
            ForcedAction::Disable => Act::Disable,
        };
        planner.step_by(Actor::Operator, node.id, act, ASKED, Reason::Asked);
    }
    Ok(planner.finish_asked())
}

fn add(planner: &mut Planner<'_>, request: &ForcedRequest) -> Result<(), Refusal> {
    let wanted = usize::try_from(request.count).unwrap_or(usize::MAX);
    respect_cap(planner, planner.features.census.total, wanted)?;
    let (ids, short) = planner.new_ids(request.count);
    if let Some(reason) = short {
        return Err(Refusal::NoPort(reason.to_string()));
    }
    for id in ids {
        planner.step_by(Actor::Operator, id, Act::Add, ASKED, Reason::Asked);
    }
    Ok(())
}

fn respect_cap(planner: &Planner<'_>, nodes: u32, wanted: usize) -> Result<(), Refusal> {
    let cap = planner.cap();
    let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
    if wanted > 0 && nodes.saturating_add(wanted) > cap {
        return Err(Refusal::PastCap { nodes, wanted, cap });
    }
    Ok(())
}

/// Whether it counts as running already, or will without another word.
fn comes_up(node: &Node) -> bool {
    let starting = matches!(
        node.under_way(),
        Some(TransitionKind::Adding | TransitionKind::Starting | TransitionKind::Upgrading)
    );
    node.observed().state == ObservedState::Running || starting
}

/// The nodes that were named, all of them or a refusal that names every fault of its kind.
fn named<'a>(snapshot: &'a Snapshot, request: &ForcedRequest) -> Result<Choice<'a>, Refusal> {
    let mut ids = request.nodes.clone();
    let mut seen = std::collections::BTreeSet::new();
    ids.retain(|id| seen.insert(*id));
    let by_id: std::collections::HashMap<NodeId, &Node> =
        snapshot.nodes.iter().map(|node| (node.id, node)).collect();
    let missing = ids.iter().copied().filter(|id| !by_id.contains_key(id));
    refuse(missing, Refusal::NoSuchNode)?;
    let nodes: Vec<&Node> = ids.iter().filter_map(|id| by_id.get(id).copied()).collect();

    let leaving = nodes
        .iter()
        .filter(|node| !node.is_kept() || node.under_way() == Some(TransitionKind::Removing));
    refuse(leaving.map(|node| node.id), Refusal::BeingRemoved)?;
    refuse(in_state(&nodes, ObservedState::Unknown), Refusal::Unseen)?;
    if request.action != ForcedAction::Remove {
        refuse(in_state(&nodes, ObservedState::Dead), Refusal::Dead)?;
    }

    let mut choice = Choice::default();
    let (mut already, mut not_running) = (Vec::new(), Vec::new());
    for node in nodes {
        match request.action {
            _ if is_already(node, request.action) => already.push(node.id),
            ForcedAction::Upgrade if node.observed().state != ObservedState::Running => {
                not_running.push(node.id);
            }
            _ => choice.nodes.push(node),
        }
    }
    if !already.is_empty() {
        let nodes = already.into_iter().collect();
        choice.left_out.push(Reason::AlreadySo { nodes });
    }
    if !not_running.is_empty() {
        let nodes = not_running.into_iter().collect();
        choice.left_out.push(Reason::NotRunning { nodes });
    }
    Ok(choice)
}

fn in_state(nodes: &[&Node], state: ObservedState) -> impl Iterator<Item = NodeId> {
    let found = nodes
        .iter()
        .filter(move |node| node.observed().state == state);
    found.map(|node| node.id)
}

fn refuse(
    ids: impl Iterator<Item = NodeId>,
    refusal: impl Fn(NodeList) -> Refusal,
) -> Result<(), Refusal> {
    let list: NodeList = ids.collect();
    match list.ids().is_empty() {
        true => Ok(()),
        false => Err(refusal(list)),
    }
}

/// Whether a node is and is wanted as asked. A stopped node that wnm would start again is not yet stopped on
/// a person's word, so a stop of it is no empty one.
fn is_already(node: &Node, action: ForcedAction) -> bool {
    let (want, saw) = (node.desired(), node.observed().state);
    let steady = node.transition().is_none_or(|step| step.acted);
    match action {
        ForcedAction::Start => want.state == DesiredState::Running && comes_up(node),
        ForcedAction::Stop => {
            let asked = want.state == DesiredState::Stopped && want.by == Actor::Operator;
            let disabled = want.state == DesiredState::Disabled;
            steady && (asked || disabled) && saw == ObservedState::Stopped
        }
        ForcedAction::Disable => {
            steady && want.state == DesiredState::Disabled && saw == ObservedState::Stopped
        }
        ForcedAction::Add | ForcedAction::Remove | ForcedAction::Upgrade => false,
    }
}

/// As many nodes as asked for, chosen as a cycle chooses. Disabled ones are never chosen.
fn chosen<'a>(planner: &Planner<'a>, action: ForcedAction, count: u32) -> Choice<'a> {
    let roster = &planner.roster;
    let go = || to_go(planner.snapshot.machine.removal_strategy);
    let nodes = match action {
        ForcedAction::Start => {
            let stopped = [roster.resting.as_slice(), &roster.parked].concat();
            let crashed = first(roster.crashed.clone(), count, oldest);
            then(crashed, stopped, count, oldest)
        }
        ForcedAction::Stop => first(roster.up.clone(), count, go()),
        ForcedAction::Upgrade => {
            let outdated = roster.up.iter().filter(|node| planner.outdated(node));
            first(outdated.copied().collect(), count, oldest)
        }
        ForcedAction::Remove => {
            let stopped = [roster.resting.as_slice(), &roster.crashed].concat();
            let running = [roster.up.as_slice(), &roster.drifted].concat();
            let dead = first(roster.dead.clone(), count, go());
            let nodes = then(dead, stopped, count, go());
            let nodes = then(nodes, roster.parked.clone(), count, go());
            then(nodes, running, count, go())
        }
        ForcedAction::Add | ForcedAction::Disable => Vec::new(),
    };
    let mut choice = Choice {
        nodes,
        left_out: Vec::new(),
    };
    let found = u32::try_from(choice.nodes.len()).unwrap_or(u32::MAX);
    if found == 0 {
        choice.left_out.push(Reason::NoCandidate);
    } else if found < count {
        let asked = count;
        choice.left_out.push(Reason::Fewer { asked, found });
    }
    choice
}

/// `chosen`, filled up to `count` from `more`.
fn then<'a>(
    mut chosen: Vec<&'a Node>,
    more: Vec<&'a Node>,
    count: u32,
    order: impl Fn(&Node, &Node) -> std::cmp::Ordering,
) -> Vec<&'a Node> {
    let have = u32::try_from(chosen.len()).unwrap_or(u32::MAX);
    chosen.extend(first(more, count.saturating_sub(have), order));
    chosen
}

#[cfg(test)]
mod tests;
