//! Checks legacy systems, from before launchd had domains.

use wnm_core::node::ProcessState;
use wnm_testkit::SingleNode;
use wnm_tests::launchd::Behaviour;

use super::backend::TestBackend;

fn legacy() -> TestBackend {
    TestBackend::behaving(Behaviour {
        former: true,
        ..Behaviour::default()
    })
}

#[tokio::test]
async fn uses_load_and_unload_where_bootstrap_is_missing() {
    let backend = legacy();
    let node = backend.start_node(7).await;
    let pid = backend.pid(&node).await;
    backend
        .manager
        .upgrade_one(&node, &backend.binary("second"))
        .await
        .unwrap();
    assert_ne!(backend.pid(&node).await, pid);
    for _ in 0..2 {
        backend.manager.stop_one(&node).await.unwrap();
        assert_eq!(backend.state(&node).await, ProcessState::Stopped);
    }
    backend.manager.start_one(&node).await.unwrap();
    backend.pid(&node).await;
    backend.manager.remove_one(&node).await.unwrap();
    assert_eq!(backend.state(&node).await, ProcessState::Missing);
}

#[tokio::test]
async fn a_load_that_fails_with_exit_code_0_is_an_error() {
    let mut backend = legacy();
    let node = backend.add_node(7).await;
    backend
        .launchd
        .behave(|launchd| launchd.fail("load", 0, "Load failed: 119: Service is disabled", 1));
    let error = backend
        .manager
        .start_one(&node)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("119") && error.contains("print-disabled"),
        "{error}"
    );
}

#[tokio::test]
async fn legacy_subcommands_are_not_used_where_bootstrap_exists() {
    let backend = TestBackend::new();
    let node = backend.start_node(7).await;
    backend.manager.remove_one(&node).await.unwrap();
    assert_eq!(backend.times("load") + backend.times("unload"), 0);
}
