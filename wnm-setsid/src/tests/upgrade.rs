use std::path::Path;

use semver::Version;
use wnm_core::node::ProcessState;
use wnm_core::program::NodeBinary;
use wnm_testkit::SingleNode;

use super::backend::{RUNS_FOREVER, TestBackend, rejection_text};

/// The shell with bytes appended: the same program in a different file.
fn newer(backend: &TestBackend) -> NodeBinary {
    let path = backend.dir.join("newer");
    let mut bytes = std::fs::read("/bin/sh").unwrap();
    bytes.extend_from_slice(b"newer");
    wnm_host::files::write_whole(&path, &bytes, 0o755).unwrap();
    binary(&path)
}

fn binary(path: &Path) -> NodeBinary {
    NodeBinary {
        path: path.to_owned(),
        version: Version::new(0, 2, 0),
    }
}

#[tokio::test]
async fn an_upgrade_restarts_a_running_node_on_the_new_program() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let node = backend.running(1).await;
    let before = backend.pid(&node).await;
    let newer = newer(&backend);
    backend.manager.upgrade_one(&node, &newer).await.unwrap();
    assert_ne!(backend.pid(&node).await, before);
    assert_eq!(
        std::fs::read(&node.binary).unwrap(),
        std::fs::read(&newer.path).unwrap()
    );
    assert!(!wnm_host::rollback::path(&node.binary).exists());
}

#[tokio::test]
async fn an_upgraded_stopped_node_stays_stopped_and_rolls_back_on_a_failed_start() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let node = backend.node(1);
    backend
        .manager
        .add_one(&node, &backend.binary())
        .await
        .unwrap();
    let old = std::fs::read(&node.binary).unwrap();
    let broken = backend.dir.join("broken");
    wnm_host::files::write_whole(&broken, b"#!/no/such/interpreter\n", 0o755).unwrap();
    backend
        .manager
        .upgrade_one(&node, &newer(&backend))
        .await
        .unwrap();
    backend
        .manager
        .upgrade_one(&node, &binary(&broken))
        .await
        .unwrap();
    assert_eq!(backend.state(&node).await, ProcessState::Stopped);
    rejection_text(backend.manager.start_one(&node).await);
    backend.pid(&node).await;
    assert_eq!(std::fs::read(&node.binary).unwrap(), old);
}

#[tokio::test]
async fn an_upgrade_rolls_back_if_the_new_program_does_not_start() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let node = backend.running(1).await;
    let old = std::fs::read(&node.binary).unwrap();
    let broken = backend.dir.join("broken");
    wnm_host::files::write_whole(&broken, b"#!/no/such/interpreter\n", 0o755).unwrap();
    let message = rejection_text(backend.manager.upgrade_one(&node, &binary(&broken)).await);
    let message = message.replace(backend.dir.to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(message, @"starting [dir]/state/nodes/antnode0001/antnode: No such file or directory (os error 2); the previous program was put back and runs");
    backend.pid(&node).await;
    assert_eq!(std::fs::read(&node.binary).unwrap(), old);
    assert!(!wnm_host::rollback::path(&node.binary).exists());
    backend.manager.start_one(&node).await.unwrap();
}

#[tokio::test]
async fn an_upgrade_to_a_missing_program_leaves_the_old_one_running() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let node = backend.running(1).await;
    let absent = binary(&backend.dir.join("absent"));
    let error = backend
        .manager
        .upgrade_one(&node, &absent)
        .await
        .unwrap_err();
    let message = error
        .to_string()
        .replace(backend.dir.to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(message, @"copying [dir]/absent to [dir]/state/nodes/antnode0001/antnode: No such file or directory (os error 2)");
    backend.pid(&node).await;
}

#[tokio::test]
async fn a_start_deletes_a_partial_copy() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let node = backend.node(1);
    backend
        .manager
        .add_one(&node, &backend.binary())
        .await
        .unwrap();
    let part = wnm_host::files::unfinished(&node.binary);
    std::fs::write(&part, b"a part").unwrap();
    backend.manager.start_one(&node).await.unwrap();
    assert!(!part.exists());
}
