use std::os::unix::fs::symlink;

use wnm_core::manager::ManagerError;
use wnm_core::node::ProcessState;
use wnm_testkit::SingleNode;

use super::backend::{RUNS_FOREVER, TestBackend, is_running, rejection_text};

#[tokio::test]
async fn an_early_exit_is_reported_with_the_nodes_output() {
    let backend = TestBackend::new("echo starting; echo 'no wallet given' >&2; exit 101");
    let node = backend.node(1);
    backend
        .manager
        .add_one(&node, &backend.binary())
        .await
        .unwrap();
    rejection_text(backend.manager.start_one(&node).await);
    // Only the output of the last run.
    let message = rejection_text(backend.manager.start_one(&node).await);
    insta::assert_snapshot!(message, @"starting antnode0001: it exited at once (exit code 101): starting | no wallet given");
    assert_eq!(backend.state(&node).await, ProcessState::Stopped);
}

#[tokio::test]
async fn add_refuses_a_path_that_is_not_a_directory() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let node = backend.node(1);
    let elsewhere = backend.dir.join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::create_dir_all(node.root_dir.parent().unwrap()).unwrap();
    symlink(&elsewhere, &node.root_dir).unwrap();
    let message = rejection_text(
        backend
            .manager
            .add_one(&node, &backend.binary())
            .await
            .map(|_| ()),
    );
    let message = message.replace(backend.dir.to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(message, @"making [dir]/state/nodes/antnode0001: something that is not a directory is there; move it away");
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
    let message = rejection_text(backend.manager.remove_one(&node).await);
    let message = message.replace(backend.dir.to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(message, @"deleting [dir]/state/nodes/antnode0001: refused, since it is a symbolic link");
    std::fs::remove_file(&node.root_dir).unwrap();
    std::fs::write(&node.root_dir, "a file").unwrap();
    rejection_text(
        backend
            .manager
            .add_one(&node, &backend.binary())
            .await
            .map(|_| ()),
    );
    rejection_text(backend.manager.remove_one(&node).await);
    assert!(node.root_dir.is_file() && elsewhere.is_dir());
}

#[tokio::test]
async fn remove_keeps_and_names_a_directory_that_wnm_did_not_make() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let mut node = backend.running(1).await;
    let pid = backend.pid(&node).await;
    // The same directory through another path, as an adopted node may have it.
    let elsewhere = backend.dir.join("elsewhere");
    symlink(&backend.context.paths.node_storage, &elsewhere).unwrap();
    node.root_dir = elsewhere.join("antnode0001");
    node.binary = node.root_dir.join("antnode");
    let message = rejection_text(backend.manager.remove_one(&node).await);
    let message = message.replace(backend.dir.to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(message, @"removing antnode0001: kept [dir]/elsewhere/antnode0001, which wnm did not make; delete by hand");
    assert!(!is_running(pid));
    assert!(node.binary.is_file());
    assert!(!node.log_dir.as_ref().unwrap().exists());
    std::fs::remove_dir_all(&node.root_dir).unwrap();
    backend.manager.remove_one(&node).await.unwrap();
}

#[tokio::test]
async fn storage_errors_name_the_path() {
    let mut backend = TestBackend::new(RUNS_FOREVER);
    let node = backend.node(1);
    let unmounted = backend.dir.join("disk/nodes");
    backend.context.paths.node_storage = unmounted.clone();
    backend.set_script(RUNS_FOREVER);
    let message = rejection_text(
        backend
            .manager
            .add_one(&node, &backend.binary())
            .await
            .map(|_| ()),
    );
    let message = message.replace(backend.dir.to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(message, @"node storage [dir]/disk/nodes: does not exist; mount the disk it is on, or create it");
    // A file in place of the storage's parent: nothing can be created below it.
    std::fs::write(backend.dir.join("disk"), b"").unwrap();
    let error = backend
        .manager
        .add_one(&node, &backend.binary())
        .await
        .unwrap_err();
    let message = error
        .to_string()
        .replace(backend.dir.to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(message, @"node storage [dir]/disk/nodes: Not a directory (os error 20)");
    assert!(matches!(error, ManagerError::Io { .. }));
}
