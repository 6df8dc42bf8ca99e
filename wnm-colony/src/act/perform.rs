//! The steps of a batch: calls to the manager, in the order that leaves a record to go on from at every point.

use semver::Version;

use wnm_core::decide::{Act, Step};
use wnm_core::fault;
use wnm_core::manager::{AddedNode, ManagerError, Outcomes, ProcessManager, one_per_node};
use wnm_core::node::{Actor, DesiredState, Node, TransitionKind};
use wnm_core::program::NodeBinary;

/// What was done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Performed {
    /// A node was made and started.
    Added(AddedNode),
    /// It was started; with a new version when its binary was replaced before.
    Started { version: Option<Version> },
    /// It has the new binary.
    Upgraded { version: Version },
    /// It does not run.
    Stopped,
    /// Everything of it is gone.
    Removed,
    /// Its removal was over; the row can go.
    Forgotten,
    /// It could not be added, and what there was of it is gone again.
    Undone { error: String },
}

/// Takes the steps of a batch, all of which are done in the same way, with one call to the manager for each part.
/// There is an outcome for each step, in order.
pub(super) async fn perform(
    manager: &dyn ProcessManager,
    batch: &[(Node, Step)],
    binary: Result<&NodeBinary, &String>,
) -> Outcomes<Performed> {
    let Some((first, step)) = batch.first() else {
        return Vec::new();
    };
    let nodes: Vec<Node> = batch.iter().map(|(node, _)| node.clone()).collect();
    let way = match (step.act, first.under_way()) {
        (Act::Resume, Some(TransitionKind::Adding)) => Act::Add,
        (Act::Resume, Some(TransitionKind::Starting)) => Act::Start {
            upgrade_first: false,
        },
        (Act::Resume, Some(TransitionKind::Stopping)) => Act::Stop,
        (Act::Resume, Some(TransitionKind::Removing)) => Act::Remove,
        (act, _) => act,
    };
    let missing = |reason: &String| {
        let without = |_| Err(ManagerError::MissingBinary(reason.clone()));
        nodes.iter().map(without).collect()
    };
    match way {
        Act::Forget => nodes.iter().map(|_| Ok(Performed::Forgotten)).collect(),
        Act::Start {
            upgrade_first: false,
        } => {
            let started = one_per_node(&nodes, manager.start(&nodes).await);
            fault::point("act.start.started");
            done(started, |()| Performed::Started { version: None })
        }
        Act::Stop | Act::Disable => {
            let stopped = one_per_node(&nodes, manager.stop(&nodes).await);
            fault::point("act.stop.stopped");
            done(stopped, |()| Performed::Stopped)
        }
        Act::Remove => {
            // What is gone already is a success for a manager. When it misses something, something may be left.
            let removed = one_per_node(&nodes, manager.remove(&nodes).await);
            fault::point("act.remove.removed");
            done(removed, |()| Performed::Removed)
        }
        Act::Add => match binary {
            Ok(binary) => add(manager, &nodes, binary).await,
            Err(reason) => missing(reason),
        },
        Act::Resume if first.under_way().is_none() => {
            let nothing = |node: &Node| {
                let what = format!("a step of node {} to resume", node.id);
                Err(ManagerError::NotFound(what))
            };
            nodes.iter().map(nothing).collect()
        }
        Act::Upgrade
        | Act::Resume
        | Act::Start {
            upgrade_first: true,
        } => match binary {
            Ok(binary) => upgrade(manager, &nodes, way, binary).await,
            Err(reason) => missing(reason),
        },
    }
}

/// Makes and starts nodes. Those that cannot be made or do not come up are taken back, unless it is open what
/// became of them.
async fn add(
    manager: &dyn ProcessManager,
    nodes: &[Node],
    binary: &NodeBinary,
) -> Outcomes<Performed> {
    let added = one_per_node(nodes, manager.add(nodes, binary).await);
    fault::point("act.add.added");
    let latest: Vec<Node> = nodes
        .iter()
        .zip(&added)
        .map(|(node, added)| match added {
            Ok(added) => as_added(node, added),
            Err(_) => node.clone(),
        })
        .collect();
    let made: Vec<Node> = latest
        .iter()
        .zip(&added)
        .filter(|(_, added)| added.is_ok())
        .map(|(node, _)| node.clone())
        .collect();
    let mut started = match made.is_empty() {
        true => Vec::new(),
        false => one_per_node(&made, manager.start(&made).await),
    }
    .into_iter();
    fault::point("act.add.started");
    let mut outcomes: Vec<Result<AddedNode, ManagerError>> = added
        .into_iter()
        .map(|added| added.and_then(|added| started.next().unwrap_or(Ok(())).map(|()| added)))
        .collect();
    let fails = |outcome: &Result<AddedNode, ManagerError>| {
        outcome.as_ref().is_err_and(|error| !error.leaves_it_open())
    };
    let failed: Vec<Node> = latest
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| fails(outcome))
        .map(|(node, _)| node.clone())
        .collect();
    let mut undone = match failed.is_empty() {
        true => Vec::new(),
        false => one_per_node(&failed, manager.remove(&failed).await),
    }
    .into_iter();
    outcomes
        .drain(..)
        .map(|outcome| match outcome {
            Ok(added) => Ok(Performed::Added(added)),
            Err(error) if error.leaves_it_open() => Err(error),
            Err(error) => undone.next().unwrap_or(Ok(())).map(|()| Performed::Undone {
                error: error.to_string(),
            }),
        })
        .collect()
}

/// Gives nodes the binary and, where the act is also to start them, does that with those that got it.
async fn upgrade(
    manager: &dyn ProcessManager,
    nodes: &[Node],
    way: Act,
    binary: &NodeBinary,
) -> Outcomes<Performed> {
    let upgraded = one_per_node(nodes, manager.upgrade(nodes, binary).await);
    fault::point(match way {
        Act::Start { .. } => "act.start.upgraded",
        _ => "act.upgrade.upgraded",
    });
    let starts = |node: &Node| match way {
        Act::Start { .. } => true,
        Act::Resume => should_run_after_upgrade(node),
        _ => false,
    };
    // The run that began an upgrade may have come as far as to stop a node, and a manager leaves a stopped node
    // stopped. So a resumed upgrade also starts the nodes that should run.
    let to_start: Vec<Node> = nodes
        .iter()
        .zip(&upgraded)
        .filter(|(node, upgraded)| upgraded.is_ok() && starts(node))
        .map(|(node, _)| node.clone())
        .collect();
    let mut started = match to_start.is_empty() {
        true => Vec::new(),
        false => one_per_node(&to_start, manager.start(&to_start).await),
    }
    .into_iter();
    let version = &binary.version;
    nodes
        .iter()
        .zip(upgraded)
        .map(|(node, upgraded)| {
            upgraded?;
            if starts(node) {
                started.next().unwrap_or(Ok(()))?;
            }
            Ok(match way {
                Act::Start { .. } => Performed::Started {
                    version: Some(version.clone()),
                },
                _ => Performed::Upgraded {
                    version: version.clone(),
                },
            })
        })
        .collect()
}

/// The node as its manager made it.
fn as_added(node: &Node, added: &AddedNode) -> Node {
    Node {
        service: added.service.clone(),
        binary: added.binary.clone(),
        root_dir: added.root_dir.clone(),
        log_dir: added.log_dir.clone(),
        ports: added.ports,
        container: added.container,
        ..node.clone()
    }
}

fn done<T>(outcomes: Outcomes<T>, how: impl Fn(T) -> Performed) -> Outcomes<Performed> {
    outcomes
        .into_iter()
        .map(|outcome| outcome.map(&how))
        .collect()
}

/// Whether a node that an unfinished upgrade may have stopped is to run.
fn should_run_after_upgrade(node: &Node) -> bool {
    match node.desired().state {
        DesiredState::Running => true,
        // Nobody wanted it stopped, and only nodes that run are upgraded.
        DesiredState::Stopped => node.desired().by == Actor::Found,
        DesiredState::Disabled | DesiredState::Absent => false,
    }
}

#[cfg(test)]
mod tests;
