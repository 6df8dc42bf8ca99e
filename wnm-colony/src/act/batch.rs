//! Steps of several nodes that are done alike, with one call to the manager for each part of them.

use super::perform::{Performed, missing_binary, perform, should_run_after_upgrade};
use wnm_core::decide::{Act, Step};
use wnm_core::fault;
use wnm_core::manager::{AddedNode, ManagerError, ProcessManager};
use wnm_core::node::{Node, TransitionKind};
use wnm_core::program::NodeBinary;

type Outcomes<T> = Vec<Result<T, ManagerError>>;

/// Takes the steps of a batch. There is an outcome for each of them, in their order.
pub(super) async fn perform_all(
    manager: &dyn ProcessManager,
    batch: &[(Node, Step)],
    binary: Result<&NodeBinary, &String>,
) -> Outcomes<Performed> {
    if let [(node, step)] = batch {
        return vec![perform(manager, node, step, binary).await];
    }
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
    let binary = || binary.map_err(|reason| missing_binary(reason));
    match way {
        Act::Forget => nodes.iter().map(|_| Ok(Performed::Forgotten)).collect(),
        Act::Start {
            upgrade_first: false,
        } => {
            let started = whole(&nodes, manager.start_all(&nodes).await);
            fault::point("act.start.started");
            done(started, |()| Performed::Started { version: None })
        }
        Act::Stop | Act::Disable => {
            let stopped = whole(&nodes, manager.stop_all(&nodes).await);
            fault::point("act.stop.stopped");
            done(stopped, |()| Performed::Stopped)
        }
        Act::Remove => {
            let removed = whole(&nodes, manager.remove_all(&nodes).await);
            fault::point("act.remove.removed");
            done(removed, |()| Performed::Removed)
        }
        Act::Add => match binary() {
            Ok(binary) => add(manager, &nodes, binary).await,
            Err(_) => nodes
                .iter()
                .map(|_| binary().and(Ok(Performed::Stopped)))
                .collect(),
        },
        Act::Upgrade
        | Act::Resume
        | Act::Start {
            upgrade_first: true,
        } => match binary() {
            Ok(binary) => upgrade(manager, &nodes, way, binary).await,
            Err(_) => nodes
                .iter()
                .map(|_| binary().and(Ok(Performed::Stopped)))
                .collect(),
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
    let added = whole(nodes, manager.add_all(nodes, binary).await);
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
    let mut started = whole(&made, manager.start_all(&made).await).into_iter();
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
        false => whole(&failed, manager.remove_all(&failed).await),
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
    let upgraded = whole(nodes, manager.upgrade_all(nodes, binary).await);
    fault::point("act.upgrade.upgraded");
    let starts = |node: &Node| match way {
        Act::Start { .. } => true,
        Act::Resume => should_run_after_upgrade(node),
        _ => false,
    };
    let to_start: Vec<Node> = nodes
        .iter()
        .zip(&upgraded)
        .filter(|(node, upgraded)| upgraded.is_ok() && starts(node))
        .map(|(node, _)| node.clone())
        .collect();
    let mut started = match to_start.is_empty() {
        true => Vec::new(),
        false => whole(&to_start, manager.start_all(&to_start).await),
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

/// Exactly one outcome for each node: of one that a manager does not mention nothing is known.
fn whole<T>(nodes: &[Node], mut outcomes: Outcomes<T>) -> Outcomes<T> {
    outcomes.truncate(nodes.len());
    for node in &nodes[outcomes.len()..] {
        outcomes.push(Err(ManagerError::Unreachable {
            supervisor: node.manager.to_string(),
            reason: format!("it said nothing of {}", node.service),
        }));
    }
    outcomes
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::PathBuf;
    use std::sync::Mutex;

    use async_trait::async_trait;
    use semver::Version;

    use super::*;
    use wnm_core::decide::Reason;
    use wnm_core::id::NodeId;
    use wnm_core::kind::ManagerKind;
    use wnm_core::manager::{FoundNode, ManagerPolicy};
    use wnm_core::node::ProcessState;
    use wnm_core::node::{Actor, Transition};
    use wnm_core::quantity::UnixTime;
    use wnm_core::testing::{edit, node, snapshot};

    /// A manager that refuses acts on certain nodes, and notes what it was asked.
    #[derive(Default)]
    struct Picky {
        refused: Vec<(&'static str, u32)>,
        open: Vec<(&'static str, u32)>,
        asked: Mutex<Vec<String>>,
    }

    impl Picky {
        fn does(&self, act: &'static str, node: &Node) -> Result<(), ManagerError> {
            let number = node.id.get();
            self.asked.lock().unwrap().push(format!("{act} {number}"));
            if self.open.contains(&(act, number)) {
                return Err(ManagerError::Unreachable {
                    supervisor: "it".to_owned(),
                    reason: "away".to_owned(),
                });
            }
            if self.refused.contains(&(act, number)) {
                return Err(ManagerError::Rejected {
                    what: act.to_owned(),
                    words: "no".to_owned(),
                });
            }
            Ok(())
        }
    }

    #[async_trait]
    impl ProcessManager for Picky {
        fn kind(&self) -> ManagerKind {
            wnm_core::testing::MANAGER
        }
        fn policy(&self) -> ManagerPolicy {
            snapshot().policy
        }
        async fn add(&self, node: &Node, _: &NodeBinary) -> Result<AddedNode, ManagerError> {
            self.does("add", node)?;
            Ok(AddedNode {
                service: format!("{}.new", node.service),
                binary: node.binary.clone(),
                root_dir: node.root_dir.clone(),
                log_dir: None,
                ports: node.ports,
                container: None,
            })
        }
        async fn start(&self, node: &Node) -> Result<(), ManagerError> {
            assert!(node.service.ends_with(".new") || node.under_way().is_some());
            self.does("start", node)
        }
        async fn stop(&self, node: &Node) -> Result<(), ManagerError> {
            self.does("stop", node)
        }
        async fn upgrade(&self, node: &Node, _: &NodeBinary) -> Result<(), ManagerError> {
            self.does("upgrade", node)
        }
        async fn remove(&self, node: &Node) -> Result<(), ManagerError> {
            self.does("remove", node)
        }
        async fn remove_all(&self, nodes: &[Node]) -> Vec<Result<(), ManagerError>> {
            // Says nothing of the last one.
            let told = nodes.iter().take(nodes.len().saturating_sub(1));
            told.map(|node| self.does("remove", node)).collect()
        }
        async fn statuses(
            &self,
            _: &[Node],
        ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
            Ok(HashMap::new())
        }
        async fn discover(&self) -> Result<Vec<FoundNode>, ManagerError> {
            Ok(Vec::new())
        }
    }

    fn batch(act: Act, under_way: Option<TransitionKind>, count: u32) -> Vec<(Node, Step)> {
        let with_step = |number| {
            let mut node = node(number);
            edit(&mut node, |n| {
                n.transition = under_way.map(|kind| Transition {
                    kind,
                    since: UnixTime(0),
                    acted: false,
                })
            });
            let step = Step {
                node: node.id,
                act,
                reason: Reason::Asked,
                priority: 0,
                by: Actor::Operator,
            };
            (node, step)
        };
        (1..=count).map(with_step).collect()
    }

    async fn outcomes(manager: &Picky, batch: &[(Node, Step)]) -> Vec<String> {
        let binary = NodeBinary {
            path: PathBuf::from("/srv/antnode"),
            version: Version::new(0, 4, 8),
        };
        let done = perform_all(manager, batch, Ok(&binary)).await;
        let word = |outcome: Result<Performed, ManagerError>| match outcome {
            Ok(Performed::Added(_)) => "added".to_owned(),
            Ok(other) => format!("{other:?}"),
            Err(error) => format!("{error}"),
        };
        done.into_iter().map(word).collect()
    }

    #[tokio::test]
    async fn what_cannot_be_added_is_undone_and_the_others_stay() {
        let manager = Picky {
            refused: vec![("add", 2), ("start", 3)],
            open: vec![("start", 4)],
            ..Picky::default()
        };
        let told = outcomes(&manager, &batch(Act::Add, None, 5)).await;
        assert_eq!(
            told,
            [
                "added",
                "Undone { error: \"add: no\" }",
                "memory+user is not reachable: it said nothing of antnode0003.service.new",
                "it is not reachable: away",
                "added",
            ]
        );
        let asked = manager.asked.lock().unwrap();
        let begun = |act: &str| asked.iter().filter(|call| call.starts_with(act)).count();
        assert_eq!((begun("add"), begun("start"), begun("remove")), (5, 4, 1));
    }

    #[tokio::test]
    async fn an_upgrade_taken_again_starts_what_should_run() {
        let manager = Picky {
            refused: vec![("upgrade", 1), ("start", 3)],
            ..Picky::default()
        };
        let mut batch = batch(Act::Resume, Some(TransitionKind::Upgrading), 4);
        edit(&mut batch[3].0, |n| {
            n.desired.state = wnm_core::node::DesiredState::Disabled
        });
        let told = outcomes(&manager, &batch).await;
        assert_eq!(told[0], "upgrade: no");
        assert!(told[1].starts_with("Upgraded"), "{told:?}");
        assert_eq!(told[2], "start: no");
        assert!(told[3].starts_with("Upgraded"), "{told:?}");
        let asked = manager.asked.lock().unwrap();
        assert_eq!(asked[4..], ["start 2", "start 3"]);
    }

    #[tokio::test]
    async fn of_a_node_that_is_not_mentioned_nothing_is_known() {
        let manager = Picky::default();
        let told = outcomes(&manager, &batch(Act::Remove, None, 2)).await;
        assert_eq!(told[0], "Removed");
        assert!(told[1].contains("said nothing of"), "{told:?}");
    }
}
