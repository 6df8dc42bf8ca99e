//! The step itself: calls to the manager, in the order that leaves a record to go on from at every point.

use semver::Version;

use wnm_core::decide::{Act, Step};
use wnm_core::fault;
use wnm_core::manager::{AddedNode, ManagerError, ProcessManager};
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

/// Takes one step with `node` as it is recorded.
pub(super) async fn perform(
    manager: &dyn ProcessManager,
    node: &Node,
    step: &Step,
    binary: Result<&NodeBinary, &String>,
) -> Result<Performed, ManagerError> {
    let binary = || binary.map_err(|reason| missing_binary(reason));
    match step.act {
        Act::Forget => Ok(Performed::Forgotten),
        Act::Add => add(manager, node, binary()?).await,
        Act::Start {
            upgrade_first: false,
        } => start(manager, node).await,
        Act::Start {
            upgrade_first: true,
        } => {
            let binary = binary()?;
            manager.upgrade(node, binary).await?;
            fault::point("act.start.upgraded");
            manager.start(node).await?;
            Ok(Performed::Started {
                version: Some(binary.version.clone()),
            })
        }
        Act::Stop | Act::Disable => stop(manager, node).await,
        Act::Upgrade => upgrade(manager, node, binary()?).await,
        Act::Remove => remove(manager, node).await,
        Act::Resume => match node.under_way() {
            Some(TransitionKind::Adding) => add(manager, node, binary()?).await,
            Some(TransitionKind::Starting) => start(manager, node).await,
            Some(TransitionKind::Stopping) => stop(manager, node).await,
            Some(TransitionKind::Upgrading) => resume_upgrade(manager, node, binary()?).await,
            Some(TransitionKind::Removing) => remove(manager, node).await,
            None => Err(ManagerError::NotFound(format!(
                "a step of node {} to resume",
                node.id
            ))),
        },
    }
}

/// A node that cannot be made or does not come up is taken back, unless it is open what became of it.
async fn add(
    manager: &dyn ProcessManager,
    node: &Node,
    binary: &NodeBinary,
) -> Result<Performed, ManagerError> {
    let mut made = node.clone();
    let outcome = match manager.add(node, binary).await {
        Ok(added) => {
            fault::point("act.add.added");
            made.service.clone_from(&added.service);
            made.binary.clone_from(&added.binary);
            made.root_dir.clone_from(&added.root_dir);
            made.log_dir.clone_from(&added.log_dir);
            made.ports = added.ports;
            made.container = added.container;
            manager.start(&made).await.map(|()| added)
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(added) => {
            fault::point("act.add.started");
            Ok(Performed::Added(added))
        }
        Err(error) if error.leaves_it_open() => Err(error),
        Err(error) => {
            manager.remove(&made).await?;
            Ok(Performed::Undone {
                error: error.to_string(),
            })
        }
    }
}

async fn start(manager: &dyn ProcessManager, node: &Node) -> Result<Performed, ManagerError> {
    manager.start(node).await?;
    fault::point("act.start.started");
    Ok(Performed::Started { version: None })
}

async fn stop(manager: &dyn ProcessManager, node: &Node) -> Result<Performed, ManagerError> {
    manager.stop(node).await?;
    fault::point("act.stop.stopped");
    Ok(Performed::Stopped)
}

async fn upgrade(
    manager: &dyn ProcessManager,
    node: &Node,
    binary: &NodeBinary,
) -> Result<Performed, ManagerError> {
    manager.upgrade(node, binary).await?;
    fault::point("act.upgrade.upgraded");
    Ok(Performed::Upgraded {
        version: binary.version.clone(),
    })
}

/// Takes an upgrade again. The run that began it may have come as far as to stop the node, and a manager leaves
/// a stopped node stopped; so one that should run is started as well.
async fn resume_upgrade(
    manager: &dyn ProcessManager,
    node: &Node,
    binary: &NodeBinary,
) -> Result<Performed, ManagerError> {
    let performed = upgrade(manager, node, binary).await?;
    if should_run_after_upgrade(node) {
        manager.start(node).await?;
    }
    Ok(performed)
}

/// Whether a node that an unfinished upgrade may have stopped is to run.
pub(super) fn should_run_after_upgrade(node: &Node) -> bool {
    match node.desired().state {
        DesiredState::Running => true,
        // Nobody wanted it stopped, and only nodes that run are upgraded.
        DesiredState::Stopped => node.desired().by == Actor::Found,
        DesiredState::Disabled | DesiredState::Absent => false,
    }
}

/// What a step without the binary that it needs comes to.
pub(super) fn missing_binary(reason: &str) -> ManagerError {
    ManagerError::Rejected {
        what: "no node program to give it".to_owned(),
        words: reason.to_owned(),
    }
}

async fn remove(manager: &dyn ProcessManager, node: &Node) -> Result<Performed, ManagerError> {
    // What is gone already is a success for a manager. When it misses something, something may be left.
    manager.remove(node).await?;
    fault::point("act.remove.removed");
    Ok(Performed::Removed)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use wnm_core::decide::Reason;
    use wnm_core::manager::MockProcessManager;
    use wnm_core::quantity::Seconds;
    use wnm_core::testing::{edit, node, under_way};

    fn binary() -> NodeBinary {
        NodeBinary {
            path: PathBuf::from("/srv/antnode"),
            version: Version::new(0, 4, 8),
        }
    }

    /// How often a node wanted like this is started when its upgrade is taken again.
    async fn starts_after_resumed_upgrade(state: DesiredState, by: Actor) -> usize {
        let mut node = node(1);
        edit(&mut node, |n| n.desired.state = state);
        edit(&mut node, |n| n.desired.by = by);
        edit(&mut node, |n| {
            n.transition = Some(under_way(TransitionKind::Upgrading, false, Seconds(60)))
        });
        let starts = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&starts);
        let mut manager = MockProcessManager::new();
        manager.expect_upgrade().once().returning(|_, _| Ok(()));
        manager.expect_start().returning(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        let step = Step {
            node: node.id,
            act: Act::Resume,
            reason: Reason::Interrupted {
                doing: TransitionKind::Upgrading,
            },
            priority: 0,
            by: Actor::Wnm,
        };
        let done = perform(&manager, &node, &step, Ok(&binary()))
            .await
            .unwrap();
        assert_eq!(
            done,
            Performed::Upgraded {
                version: binary().version
            }
        );
        starts.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn a_node_that_an_unfinished_upgrade_stopped_runs_again_if_it_should() {
        use DesiredState::{Disabled, Running, Stopped};
        assert_eq!(starts_after_resumed_upgrade(Running, Actor::Wnm).await, 1);
        assert_eq!(starts_after_resumed_upgrade(Stopped, Actor::Found).await, 1);
        assert_eq!(
            starts_after_resumed_upgrade(Stopped, Actor::Operator).await,
            0
        );
        assert_eq!(
            starts_after_resumed_upgrade(Disabled, Actor::Operator).await,
            0
        );
    }

    #[tokio::test]
    async fn a_removal_that_missed_something_is_not_taken_for_done() {
        let mut node = node(1);
        edit(&mut node, |n| {
            n.transition = Some(under_way(TransitionKind::Removing, false, Seconds(60)))
        });
        let mut manager = MockProcessManager::new();
        manager
            .expect_remove()
            .returning(|_| Err(ManagerError::NotFound("a unit".to_owned())));
        let done = remove(&manager, &node).await;
        assert!(matches!(done, Err(ManagerError::NotFound(_))), "{done:?}");
    }
}
