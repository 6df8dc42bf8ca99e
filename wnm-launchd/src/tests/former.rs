//! Systems of the time before domains.

use wnm_core::manager::ProcessManager;
use wnm_core::node::ProcessState;
use wnm_tests::launchd::Behaviour;

use super::ground::Ground;

fn former() -> Ground {
    Ground::behaving(Behaviour {
        former: true,
        ..Behaviour::default()
    })
}

#[tokio::test]
async fn load_and_unload_do_where_there_is_no_bootstrap() {
    let ground = former();
    let node = ground.running(7).await;
    let pid = ground.pid(&node).await;
    ground
        .manager
        .upgrade(&node, &ground.binary("second"))
        .await
        .unwrap();
    assert_ne!(ground.pid(&node).await, pid);
    for _ in 0..2 {
        ground.manager.stop(&node).await.unwrap();
        assert_eq!(ground.state(&node).await, ProcessState::Stopped);
    }
    ground.manager.start(&node).await.unwrap();
    ground.pid(&node).await;
    ground.manager.remove(&node).await.unwrap();
    assert_eq!(ground.state(&node).await, ProcessState::Missing);
}

#[tokio::test]
async fn a_load_that_failed_with_0_is_a_failure() {
    let mut ground = former();
    let node = ground.added(7).await;
    ground
        .launchd
        .behave(|launchd| launchd.fail("load", 0, "Load failed: 119: Service is disabled", 1));
    let error = ground.manager.start(&node).await.unwrap_err().to_string();
    assert!(
        error.contains("119") && error.contains("print-disabled"),
        "{error}"
    );
}

#[tokio::test]
async fn they_are_not_used_where_there_is_one() {
    let ground = Ground::new();
    let node = ground.running(7).await;
    ground.manager.remove(&node).await.unwrap();
    assert_eq!(ground.times("load") + ground.times("unload"), 0);
}
