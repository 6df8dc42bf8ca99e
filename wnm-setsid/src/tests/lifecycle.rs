use wnm_core::manager::{ManagerError, ProcessManager};
use wnm_core::node::ProcessState;

use super::ground::{Ground, STAYS, runs};

#[tokio::test]
async fn a_node_is_added_started_stopped_and_removed_and_each_act_may_come_twice() {
    let ground = Ground::new(STAYS);
    let (manager, node) = (&ground.manager, ground.node(3));
    for _ in 0..2 {
        let added = manager.add(&node, &ground.binary()).await.unwrap();
        assert_eq!(added.service, "antnode0003");
        assert_eq!(added.binary, node.binary);
        assert_eq!(added.log_dir, node.log_dir);
        assert_eq!(ground.state(&node).await, ProcessState::Stopped);
    }
    manager.start(&node).await.unwrap();
    let pid = ground.pid(&node).await;
    manager.start(&node).await.unwrap();
    assert_eq!(ground.pid(&node).await, pid);
    for _ in 0..2 {
        manager.stop(&node).await.unwrap();
        assert_eq!(ground.state(&node).await, ProcessState::Stopped);
        assert!(!runs(pid));
    }
    manager.start(&node).await.unwrap();
    for _ in 0..2 {
        manager.remove(&node).await.unwrap();
        assert_eq!(ground.state(&node).await, ProcessState::Missing);
    }
    assert!(!node.root_dir.exists());
    assert!(!node.log_dir.as_ref().unwrap().exists());
    let again = manager.start(&node).await;
    assert!(matches!(again, Err(ManagerError::NotFound(_))), "{again:?}");
}

#[tokio::test]
async fn nodes_are_told_apart_in_one_look() {
    let ground = Ground::new(STAYS);
    let one = ground.running(1).await;
    let two = ground.node(2);
    ground.manager.add(&two, &ground.binary()).await.unwrap();
    let three = ground.node(3);
    let ten = ground.running(10).await;
    let nodes = [one.clone(), two.clone(), three.clone(), ten.clone()];
    let states = ground.manager.statuses(&nodes).await.unwrap();
    assert!(matches!(states[&one.id], ProcessState::Running { .. }));
    assert_eq!(states[&two.id], ProcessState::Stopped);
    assert_eq!(states[&three.id], ProcessState::Missing);
    assert!(matches!(states[&ten.id], ProcessState::Running { .. }));
    ground.manager.stop(&one).await.unwrap();
    assert!(runs(ground.pid(&ten).await));
}

#[tokio::test]
async fn a_disk_that_is_gone_makes_its_nodes_unknown_and_not_missing() {
    let ground = Ground::new(STAYS);
    let node = ground.node(1);
    ground.manager.add(&node, &ground.binary()).await.unwrap();
    let storage = &ground.context.paths.node_storage;
    std::fs::rename(storage, ground.dir.join("unplugged")).unwrap();
    let state = ground.state(&node).await;
    assert!(matches!(state, ProcessState::Unknown(_)), "{state:?}");
}

#[tokio::test]
async fn teardown_leaves_nothing() {
    let ground = Ground::new(STAYS);
    let nodes = [ground.running(1).await, ground.running(2).await];
    ground.manager.teardown(&nodes).await.unwrap();
    let storage = std::fs::read_dir(&ground.context.paths.node_storage).unwrap();
    assert_eq!(storage.count(), 0);
    let states = ground.manager.statuses(&nodes).await.unwrap();
    assert!(states.values().all(|s| *s == ProcessState::Missing));
}
