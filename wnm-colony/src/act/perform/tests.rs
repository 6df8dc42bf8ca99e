use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use semver::Version;

use super::*;
use wnm_core::decide::Reason;
use wnm_core::id::NodeId;
use wnm_core::kind::ManagerKind;
use wnm_core::manager::{FoundNode, ManagerPolicy, MockProcessManager, each};
use wnm_core::node::ProcessState;
use wnm_core::node::Transition;
use wnm_core::quantity::{Seconds, UnixTime};
use wnm_core::testing::{edit, node, snapshot, under_way};

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
    async fn add(&self, nodes: &[Node], _: &NodeBinary) -> Outcomes<AddedNode> {
        each(nodes, |node| async move {
            self.does("add", node)?;
            Ok(AddedNode {
                service: format!("{}.new", node.service),
                binary: node.binary.clone(),
                root_dir: node.root_dir.clone(),
                log_dir: None,
                ports: node.ports,
                container: None,
            })
        })
        .await
    }
    async fn start(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, |node| async move {
            assert!(node.service.ends_with(".new") || node.under_way().is_some());
            self.does("start", node)
        })
        .await
    }
    async fn stop(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, |node| async move { self.does("stop", node) }).await
    }
    async fn upgrade(&self, nodes: &[Node], _: &NodeBinary) -> Outcomes<()> {
        each(nodes, |node| async move { self.does("upgrade", node) }).await
    }
    async fn remove(&self, nodes: &[Node]) -> Outcomes<()> {
        // Says nothing of the last one.
        let told = &nodes[..nodes.len().saturating_sub(1)];
        each(told, |node| async move { self.does("remove", node) }).await
    }
    async fn statuses(&self, _: &[Node]) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
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
    let done = perform(manager, batch, Ok(&binary)).await;
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
    manager
        .expect_upgrade()
        .once()
        .returning(|_, _| vec![Ok(())]);
    manager.expect_start().returning(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        vec![Ok(())]
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
    let mut done = perform(&manager, &[(node, step)], Ok(&binary())).await;
    assert_eq!(
        done.remove(0).unwrap(),
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
    let mut manager = MockProcessManager::new();
    manager
        .expect_remove()
        .returning(|_| vec![Err(ManagerError::NotFound("a unit".to_owned()))]);
    let done = perform(&manager, &batch(Act::Remove, None, 1), Ok(&binary())).await;
    assert!(
        matches!(done[0], Err(ManagerError::NotFound(_))),
        "{done:?}"
    );
}

#[tokio::test]
async fn without_a_program_nothing_is_added_and_the_manager_is_not_called() {
    let reason = "none there".to_owned();
    let manager = MockProcessManager::new();
    let done = perform(&manager, &batch(Act::Add, None, 2), Err(&reason)).await;
    assert_eq!(done.len(), 2);
    for outcome in done {
        assert!(
            matches!(outcome, Err(ManagerError::MissingBinary(_))),
            "{outcome:?}"
        );
    }
}
