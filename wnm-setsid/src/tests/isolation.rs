//! Isolation of a started node: session, descriptors, directory and output.

use std::os::fd::AsFd;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

use super::backend::{RUNS_FOREVER, TestBackend};
use crate::table::Table;

#[tokio::test]
async fn a_node_has_its_own_session_and_inherits_nothing() {
    let backend = TestBackend::new("echo $NODE_NUMBER up in; pwd; sleep 600 & wait");
    // Like a lock that a crontab line holds on a descriptor.
    let lock = std::fs::File::create(backend.dir.join("lock")).unwrap();
    fcntl(lock.as_fd(), FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
    let node = backend.running(5).await;
    let pid = backend.pid(&node).await;
    let process = Table::system().process(pid).unwrap().id;
    assert_eq!((process.session, process.group), (pid, pid));
    let mut descriptors: Vec<(String, String)> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let target = std::fs::read_link(entry.path()).unwrap_or_default();
            let name = entry.file_name().into_string().unwrap();
            (name, target.to_string_lossy().into_owned())
        })
        .filter(|(name, _)| name != "10")
        .collect();
    descriptors.sort();
    let output = node.log_dir.as_ref().unwrap().join("antnode.out");
    let output = output.to_str().unwrap();
    assert_eq!(
        descriptors,
        [("0", "/dev/null"), ("1", output), ("2", output)].map(|(a, b)| (a.into(), b.into()))
    );
    backend
        .wait_for_output(&node, node.root_dir.to_str().unwrap())
        .await;
    assert!(backend.output(&node).starts_with("5 up in"));
}

#[tokio::test]
async fn a_start_rotates_a_large_output_file() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let node = backend.node(1);
    let manager = &backend.manager;
    use wnm_testkit::SingleNode;
    manager.add_one(&node, &backend.binary()).await.unwrap();
    let output = node.log_dir.as_ref().unwrap().join("antnode.out");
    std::fs::write(&output, "before\n").unwrap();
    manager.start_one(&node).await.unwrap();
    backend.wait_for_output(&node, "up").await;
    assert!(backend.output(&node).starts_with("before\n"));
    manager.stop_one(&node).await.unwrap();
    let file = std::fs::File::options().write(true).open(&output).unwrap();
    file.set_len(10 * 1024 * 1024 + 1).unwrap();
    manager.start_one(&node).await.unwrap();
    backend.wait_for_output(&node, "up").await;
    assert_eq!(backend.output(&node), "up\n");
    assert!(output.with_file_name("antnode.out.old").exists());
}
