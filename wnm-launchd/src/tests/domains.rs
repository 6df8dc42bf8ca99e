//! The two domains of a user, and callers that are in neither or the other one.

use wnm_core::manager::{ManagerError, ProcessManager};
use wnm_core::node::ProcessState;
use wnm_tests::launchd::Behaviour;

use super::ground::Ground;

fn user() -> String {
    format!("user/{}", nix::unistd::geteuid())
}

fn gui() -> String {
    format!("gui/{}", nix::unistd::geteuid())
}

#[tokio::test]
async fn without_a_screen_nodes_run_in_the_background() {
    let mut ground = Ground::behaving(Behaviour {
        headless: true,
        ..Behaviour::default()
    });
    let node = ground.running(7).await;
    assert_eq!(ground.times(&format!("bootstrap {}", user())), 1);
    assert!(ground.text(&node).contains("<string>Background</string>"));
    let pid = ground.pid(&node).await;
    ground
        .manager
        .upgrade(&node, &ground.binary("second"))
        .await
        .unwrap();
    assert_ne!(ground.pid(&node).await, pid);
    // Someone logs in: what runs goes on, and what starts next is at the screen.
    ground.launchd.behave(|launchd| launchd.headless = false);
    let pid = ground.pid(&node).await;
    ground.manager.start(&node).await.unwrap();
    assert_eq!(ground.pid(&node).await, pid);
    ground.manager.stop(&node).await.unwrap();
    ground.manager.start(&node).await.unwrap();
    assert!(!ground.text(&node).contains("Background"));
    // In vain before that.
    assert_eq!(ground.times(&format!("bootstrap {}", gui())), 2);
    ground.manager.remove(&node).await.unwrap();
    assert_eq!(ground.state(&node).await, ProcessState::Missing);
}

#[tokio::test]
async fn a_job_of_the_screen_is_seen_from_cron() {
    let mut ground = Ground::new();
    let (first, second) = (ground.running(1).await, ground.running(2).await);
    ground.manager.stop(&second).await.unwrap();
    ground
        .launchd
        .behave(|launchd| launchd.listed = Some(user()));
    for strange_tables in [false, true] {
        ground
            .launchd
            .behave(|launchd| launchd.strange_tables = strange_tables);
        ground.pid(&first).await;
        assert_eq!(ground.state(&second).await, ProcessState::Stopped);
    }
    ground.manager.stop(&first).await.unwrap();
    assert_eq!(ground.state(&first).await, ProcessState::Stopped);
}

#[tokio::test]
async fn without_any_session_it_is_open_what_became_of_it() {
    let ground = Ground::new();
    let node = ground.added(7).await;
    let mut launchd = ground.launchd;
    launchd.behave(|launchd| {
        launchd.fail(
            "bootstrap",
            125,
            "Bootstrap failed: 125: Domain does not support specified action",
            9,
        );
    });
    let error = ground.manager.start(&node).await.unwrap_err();
    assert!(matches!(error, ManagerError::Unreachable { .. }), "{error}");
    assert!(
        error.to_string().contains("log in, or use launchd+sudo"),
        "{error}"
    );
}
