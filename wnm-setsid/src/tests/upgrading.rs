use std::path::Path;

use semver::Version;
use wnm_core::manager::ProcessManager;
use wnm_core::node::ProcessState;
use wnm_core::program::NodeBinary;

use super::ground::{Ground, STAYS, refusal};

/// The shell with something after its end: the same program, and another file.
fn newer(ground: &Ground) -> NodeBinary {
    let path = ground.dir.join("newer");
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
async fn a_running_node_runs_again_on_the_new_program() {
    let ground = Ground::new(STAYS);
    let node = ground.running(1).await;
    let before = ground.pid(&node).await;
    let newer = newer(&ground);
    ground.manager.upgrade(&node, &newer).await.unwrap();
    assert_ne!(ground.pid(&node).await, before);
    assert_eq!(
        std::fs::read(&node.binary).unwrap(),
        std::fs::read(&newer.path).unwrap()
    );
    assert!(!wnm_host::rollback::path(&node.binary).exists());
}

#[tokio::test]
async fn a_stopped_node_stays_stopped_and_goes_back_when_it_does_not_start() {
    let ground = Ground::new(STAYS);
    let node = ground.node(1);
    ground.manager.add(&node, &ground.binary()).await.unwrap();
    let old = std::fs::read(&node.binary).unwrap();
    let broken = ground.dir.join("broken");
    wnm_host::files::write_whole(&broken, b"#!/no/such/interpreter\n", 0o755).unwrap();
    ground
        .manager
        .upgrade(&node, &newer(&ground))
        .await
        .unwrap();
    ground
        .manager
        .upgrade(&node, &binary(&broken))
        .await
        .unwrap();
    assert_eq!(ground.state(&node).await, ProcessState::Stopped);
    refusal(ground.manager.start(&node).await);
    ground.pid(&node).await;
    assert_eq!(std::fs::read(&node.binary).unwrap(), old);
}

#[tokio::test]
async fn a_program_that_does_not_start_gives_way_to_the_old_one() {
    let ground = Ground::new(STAYS);
    let node = ground.running(1).await;
    let old = std::fs::read(&node.binary).unwrap();
    let broken = ground.dir.join("broken");
    wnm_host::files::write_whole(&broken, b"#!/no/such/interpreter\n", 0o755).unwrap();
    let words = refusal(ground.manager.upgrade(&node, &binary(&broken)).await);
    let words = words.replace(ground.dir.to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(words, @"starting [dir]/state/nodes/antnode0001/antnode: No such file or directory (os error 2); the previous program was put back and runs");
    ground.pid(&node).await;
    assert_eq!(std::fs::read(&node.binary).unwrap(), old);
    assert!(!wnm_host::rollback::path(&node.binary).exists());
    ground.manager.start(&node).await.unwrap();
}

#[tokio::test]
async fn a_program_that_is_not_there_leaves_the_old_one_running() {
    let ground = Ground::new(STAYS);
    let node = ground.running(1).await;
    let absent = binary(&ground.dir.join("absent"));
    let error = ground.manager.upgrade(&node, &absent).await.unwrap_err();
    let words = error
        .to_string()
        .replace(ground.dir.to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(words, @"copying [dir]/absent to [dir]/state/nodes/antnode0001/antnode: No such file or directory (os error 2)");
    ground.pid(&node).await;
}

#[tokio::test]
async fn what_a_copy_that_was_cut_off_left_goes_with_the_next_start() {
    let ground = Ground::new(STAYS);
    let node = ground.node(1);
    ground.manager.add(&node, &ground.binary()).await.unwrap();
    let part = wnm_host::files::unfinished(&node.binary);
    std::fs::write(&part, b"a part").unwrap();
    ground.manager.start(&node).await.unwrap();
    assert!(!part.exists());
}
