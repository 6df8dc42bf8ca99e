use wnm_core::manager::{ManagerError, ProcessManager};
use wnm_core::node::ProcessState;
use wnm_testkit::SingleNode;

use super::backend::{RUNS_FOREVER, TestBackend, is_running};

#[tokio::test]
async fn the_lifecycle_works_and_every_operation_is_idempotent() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let (manager, node) = (&backend.manager, backend.node(3));
    for _ in 0..2 {
        let added = manager.add_one(&node, &backend.binary()).await.unwrap();
        assert_eq!(added.service, "antnode0003");
        assert_eq!(added.binary, node.binary);
        assert_eq!(added.log_dir, node.log_dir);
        assert_eq!(backend.state(&node).await, ProcessState::Stopped);
    }
    manager.start_one(&node).await.unwrap();
    let pid = backend.pid(&node).await;
    manager.start_one(&node).await.unwrap();
    assert_eq!(backend.pid(&node).await, pid);
    for _ in 0..2 {
        manager.stop_one(&node).await.unwrap();
        assert_eq!(backend.state(&node).await, ProcessState::Stopped);
        assert!(!is_running(pid));
    }
    manager.start_one(&node).await.unwrap();
    for _ in 0..2 {
        manager.remove_one(&node).await.unwrap();
        assert_eq!(backend.state(&node).await, ProcessState::Missing);
    }
    assert!(!node.root_dir.exists());
    assert!(!node.log_dir.as_ref().unwrap().exists());
    let again = manager.start_one(&node).await;
    assert!(matches!(again, Err(ManagerError::NotFound(_))), "{again:?}");
}

#[tokio::test]
async fn statuses_tells_nodes_apart() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let one = backend.running(1).await;
    let two = backend.node(2);
    backend
        .manager
        .add_one(&two, &backend.binary())
        .await
        .unwrap();
    let three = backend.node(3);
    let ten = backend.running(10).await;
    let nodes = [one.clone(), two.clone(), three.clone(), ten.clone()];
    let states = backend.manager.statuses(&nodes).await.unwrap();
    assert!(matches!(states[&one.id], ProcessState::Running { .. }));
    assert_eq!(states[&two.id], ProcessState::Stopped);
    assert_eq!(states[&three.id], ProcessState::Missing);
    assert!(matches!(states[&ten.id], ProcessState::Running { .. }));
    backend.manager.stop_one(&one).await.unwrap();
    assert!(is_running(backend.pid(&ten).await));
}

#[tokio::test]
async fn a_missing_disk_makes_nodes_unknown_not_missing() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let node = backend.node(1);
    backend
        .manager
        .add_one(&node, &backend.binary())
        .await
        .unwrap();
    let storage = &backend.context.paths.node_storage;
    std::fs::rename(storage, backend.dir.join("unplugged")).unwrap();
    let state = backend.state(&node).await;
    assert!(matches!(state, ProcessState::Unknown(_)), "{state:?}");
}

#[tokio::test]
async fn teardown_leaves_nothing() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let nodes = [backend.running(1).await, backend.running(2).await];
    backend.manager.teardown(&nodes).await.unwrap();
    let storage = std::fs::read_dir(&backend.context.paths.node_storage).unwrap();
    assert_eq!(storage.count(), 0);
    let states = backend.manager.statuses(&nodes).await.unwrap();
    assert!(states.values().all(|s| *s == ProcessState::Missing));
}
