//! Checks the two domains of a user, and callers that are in neither or in the other one.

use wnm_core::manager::ManagerError;
use wnm_core::node::ProcessState;
use wnm_testkit::SingleNode;
use wnm_tests::launchd::Behaviour;

use super::backend::TestBackend;

fn user() -> String {
    format!("user/{}", nix::unistd::geteuid())
}

fn gui() -> String {
    format!("gui/{}", nix::unistd::geteuid())
}

#[tokio::test]
async fn without_a_graphical_session_nodes_run_in_the_background() {
    let mut backend = TestBackend::behaving(Behaviour {
        headless: true,
        ..Behaviour::default()
    });
    let node = backend.start_node(7).await;
    assert_eq!(backend.times(&format!("bootstrap {}", user())), 1);
    assert!(backend.text(&node).contains("<string>Background</string>"));
    let pid = backend.pid(&node).await;
    backend
        .manager
        .upgrade_one(&node, &backend.binary("second"))
        .await
        .unwrap();
    assert_ne!(backend.pid(&node).await, pid);
    // After a login, running nodes continue, and nodes that start later use the graphical domain.
    backend.launchd.behave(|launchd| launchd.headless = false);
    let pid = backend.pid(&node).await;
    backend.manager.start_one(&node).await.unwrap();
    assert_eq!(backend.pid(&node).await, pid);
    backend.manager.stop_one(&node).await.unwrap();
    backend.manager.start_one(&node).await.unwrap();
    assert!(!backend.text(&node).contains("Background"));
    // The first attempt, before the login, failed.
    assert_eq!(backend.times(&format!("bootstrap {}", gui())), 2);
    backend.manager.remove_one(&node).await.unwrap();
    assert_eq!(backend.state(&node).await, ProcessState::Missing);
}

#[tokio::test]
async fn a_job_of_the_graphical_session_is_visible_from_cron() {
    let mut backend = TestBackend::new();
    let (first, second) = (backend.start_node(1).await, backend.start_node(2).await);
    backend.manager.stop_one(&second).await.unwrap();
    backend
        .launchd
        .behave(|launchd| launchd.listed = Some(user()));
    for strange_tables in [false, true] {
        backend
            .launchd
            .behave(|launchd| launchd.strange_tables = strange_tables);
        backend.pid(&first).await;
        assert_eq!(backend.state(&second).await, ProcessState::Stopped);
    }
    backend.manager.stop_one(&first).await.unwrap();
    assert_eq!(backend.state(&first).await, ProcessState::Stopped);
}

#[tokio::test]
async fn without_any_session_the_outcome_is_unknown() {
    let backend = TestBackend::new();
    let node = backend.add_node(7).await;
    let mut launchd = backend.launchd;
    launchd.behave(|launchd| {
        launchd.fail(
            "bootstrap",
            125,
            "Bootstrap failed: 125: Domain does not support specified action",
            9,
        );
    });
    let error = backend.manager.start_one(&node).await.unwrap_err();
    assert!(matches!(error, ManagerError::Unreachable { .. }), "{error}");
    assert!(
        error.to_string().contains("log in, or use launchd+sudo"),
        "{error}"
    );
}
