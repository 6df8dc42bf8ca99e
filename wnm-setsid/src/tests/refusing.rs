use std::os::unix::fs::symlink;

use wnm_core::manager::{ManagerError, ProcessManager};
use wnm_core::node::ProcessState;

use super::ground::{Ground, STAYS, refusal, runs};

#[tokio::test]
async fn a_node_that_ends_at_once_is_reported_in_its_own_words() {
    let ground = Ground::new("echo starting; echo 'no wallet given' >&2; exit 101");
    let node = ground.node(1);
    ground.manager.add(&node, &ground.binary()).await.unwrap();
    refusal(ground.manager.start(&node).await);
    // Only the last run's words.
    let words = refusal(ground.manager.start(&node).await);
    insta::assert_snapshot!(words, @"starting antnode0001: it ended at once (exit code 101): starting | no wallet given");
    assert_eq!(ground.state(&node).await, ProcessState::Stopped);
}

#[tokio::test]
async fn a_directory_that_is_something_else_is_not_added_to() {
    let ground = Ground::new(STAYS);
    let node = ground.node(1);
    let elsewhere = ground.dir.join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::create_dir_all(node.root_dir.parent().unwrap()).unwrap();
    symlink(&elsewhere, &node.root_dir).unwrap();
    let words = refusal(
        ground
            .manager
            .add(&node, &ground.binary())
            .await
            .map(|_| ()),
    );
    let words = words.replace(ground.dir.to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(words, @"making [dir]/state/nodes/antnode0001: something that is not a directory is there; move it away");
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
    let words = refusal(ground.manager.remove(&node).await);
    let words = words.replace(ground.dir.to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(words, @"deleting [dir]/state/nodes/antnode0001: refused, since it is a symbolic link");
    std::fs::remove_file(&node.root_dir).unwrap();
    std::fs::write(&node.root_dir, "a file").unwrap();
    refusal(
        ground
            .manager
            .add(&node, &ground.binary())
            .await
            .map(|_| ()),
    );
    refusal(ground.manager.remove(&node).await);
    assert!(node.root_dir.is_file() && elsewhere.is_dir());
}

#[tokio::test]
async fn a_directory_that_wnm_did_not_make_is_kept_and_named() {
    let ground = Ground::new(STAYS);
    let mut node = ground.running(1).await;
    let pid = ground.pid(&node).await;
    // The same directory by another path, as an adopted node may have it.
    let elsewhere = ground.dir.join("elsewhere");
    symlink(&ground.context.paths.node_storage, &elsewhere).unwrap();
    node.root_dir = elsewhere.join("antnode0001");
    node.binary = node.root_dir.join("antnode");
    let words = refusal(ground.manager.remove(&node).await);
    let words = words.replace(ground.dir.to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(words, @"removing antnode0001: kept [dir]/elsewhere/antnode0001, which wnm did not make; delete by hand");
    assert!(!runs(pid));
    assert!(node.binary.is_file());
    assert!(!node.log_dir.as_ref().unwrap().exists());
    std::fs::remove_dir_all(&node.root_dir).unwrap();
    ground.manager.remove(&node).await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_with_the_storage_is_said_with_its_path() {
    let mut ground = Ground::new(STAYS);
    let node = ground.node(1);
    let unmounted = ground.dir.join("disk/nodes");
    ground.context.paths.node_storage = unmounted.clone();
    ground.play(STAYS);
    let words = refusal(
        ground
            .manager
            .add(&node, &ground.binary())
            .await
            .map(|_| ()),
    );
    let words = words.replace(ground.dir.to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(words, @"node storage [dir]/disk/nodes: does not exist; mount the disk it is on, or create it");
    // A file where the storage's parent should be: nothing can be made there.
    std::fs::write(ground.dir.join("disk"), b"").unwrap();
    let error = ground
        .manager
        .add(&node, &ground.binary())
        .await
        .unwrap_err();
    let words = error
        .to_string()
        .replace(ground.dir.to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(words, @"node storage [dir]/disk/nodes: Not a directory (os error 20)");
    assert!(matches!(error, ManagerError::Io { .. }));
}
