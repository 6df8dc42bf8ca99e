//! How much is asked, and what is made of silence.

use wnm_core::manager::{ManagerError, ProcessManager};
use wnm_core::node::ProcessState;

use super::ground::Ground;

#[tokio::test]
async fn one_list_tells_of_all_that_runs() {
    let ground = Ground::new();
    let mut nodes = Vec::new();
    for number in 1..=5 {
        nodes.push(ground.running(number).await);
    }
    let before = ground.launchd.asked().len();
    let states = ground.manager.statuses(&nodes).await.unwrap();
    assert!(
        states
            .values()
            .all(|state| matches!(state, ProcessState::Running { .. }))
    );
    assert_eq!(ground.launchd.asked()[before..], ["list"]);
    // With nodes that rest it is a question for each domain more, and not for each node.
    for node in &nodes[2..] {
        ground.manager.stop(node).await.unwrap();
    }
    let before = ground.launchd.asked().len();
    let states = ground.manager.statuses(&nodes).await.unwrap();
    let rest = states
        .values()
        .filter(|state| **state == ProcessState::Stopped);
    assert_eq!(rest.count(), 3);
    assert_eq!(ground.launchd.asked().len(), before + 3);
}

#[tokio::test]
async fn silence_is_no_state_and_changes_nothing() {
    let mut ground = Ground::new();
    let node = ground.running(7).await;
    ground.launchd.behave(|launchd| {
        for verb in ["list", "print", "bootout"] {
            launchd.fail(verb, 0, "", 99);
        }
    });
    let one = std::slice::from_ref(&node);
    let error = ground.manager.statuses(one).await.unwrap_err();
    assert!(matches!(error, ManagerError::Unreachable { .. }), "{error}");
    for error in [
        ground.manager.remove(&node).await.unwrap_err(),
        ground.manager.stop(&node).await.unwrap_err(),
        ground.manager.teardown(one).await.unwrap_err(),
    ] {
        assert!(error.leaves_it_open(), "{error}");
    }
    assert!(node.root_dir.exists());
    ground.launchd.behave(wnm_tests::launchd::Behaviour::obeys);
    ground.pid(&node).await;
}

#[tokio::test]
async fn a_launchd_that_cannot_be_reached_tells_nothing() {
    let ground = Ground::new();
    let node = ground.added(7).await;
    // Its launchctl is gone.
    std::fs::remove_file(ground.launchd.launchctl().0).unwrap();
    let error = ground.manager.statuses(std::slice::from_ref(&node)).await;
    assert!(
        matches!(error, Err(ManagerError::Unreachable { .. })),
        "{error:?}"
    );
}
