//! Counts requests, and checks that no answer is not a state.

use wnm_core::manager::{ManagerError, ProcessManager};
use wnm_core::node::ProcessState;
use wnm_testkit::SingleNode;

use super::backend::TestBackend;

#[tokio::test]
async fn one_list_covers_all_running_nodes() {
    let backend = TestBackend::new();
    let mut nodes = Vec::new();
    for number in 1..=5 {
        nodes.push(backend.start_node(number).await);
    }
    let before = backend.launchd.asked().len();
    let states = backend.manager.statuses(&nodes).await.unwrap();
    assert!(
        states
            .values()
            .all(|state| matches!(state, ProcessState::Running { .. }))
    );
    assert_eq!(backend.launchd.asked()[before..], ["list"]);
    // Idle nodes cost one more request per domain, not per node.
    for node in &nodes[2..] {
        backend.manager.stop_one(node).await.unwrap();
    }
    let before = backend.launchd.asked().len();
    let states = backend.manager.statuses(&nodes).await.unwrap();
    let stopped = states
        .values()
        .filter(|state| **state == ProcessState::Stopped);
    assert_eq!(stopped.count(), 3);
    assert_eq!(backend.launchd.asked().len(), before + 3);
}

#[tokio::test]
async fn an_unresponsive_launchd_yields_no_state_and_no_change() {
    let mut backend = TestBackend::new();
    let node = backend.start_node(7).await;
    backend.launchd.behave(|launchd| {
        for verb in ["list", "print", "bootout"] {
            launchd.fail(verb, 0, "", 99);
        }
    });
    let one = std::slice::from_ref(&node);
    let error = backend.manager.statuses(one).await.unwrap_err();
    assert!(matches!(error, ManagerError::Unreachable { .. }), "{error}");
    for error in [
        backend.manager.remove_one(&node).await.unwrap_err(),
        backend.manager.stop_one(&node).await.unwrap_err(),
        backend.manager.teardown(one).await.unwrap_err(),
    ] {
        assert!(error.leaves_it_open(), "{error}");
    }
    assert!(node.root_dir.exists());
    backend
        .launchd
        .behave(wnm_tests::launchd::Behaviour::act_normally);
    backend.pid(&node).await;
}

#[tokio::test]
async fn an_unreachable_launchd_yields_no_state() {
    let backend = TestBackend::new();
    let node = backend.add_node(7).await;
    // Remove its launchctl.
    std::fs::remove_file(backend.launchd.launchctl().0).unwrap();
    let error = backend.manager.statuses(std::slice::from_ref(&node)).await;
    assert!(
        matches!(error, Err(ManagerError::Unreachable { .. })),
        "{error:?}"
    );
}
