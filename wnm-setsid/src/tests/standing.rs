//! How a started node stands in the system.

use std::os::fd::AsFd;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

use super::ground::{Ground, STAYS};
use crate::table::Table;

#[tokio::test]
async fn a_node_has_a_session_of_its_own_and_nothing_of_ours() {
    let ground = Ground::new("echo $NODE_NUMBER up in; pwd; sleep 600 & wait");
    // As a lock that a crontab line holds on a descriptor.
    let lock = std::fs::File::create(ground.dir.join("lock")).unwrap();
    fcntl(lock.as_fd(), FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
    let node = ground.running(5).await;
    let pid = ground.pid(&node).await;
    let kin = Table::system().look(pid).unwrap().kin;
    assert_eq!((kin.session, kin.group), (pid, pid));
    let mut open: Vec<(String, String)> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let target = std::fs::read_link(entry.path()).unwrap_or_default();
            let name = entry.file_name().into_string().unwrap();
            (name, target.to_string_lossy().into_owned())
        })
        .filter(|(name, _)| name != "10")
        .collect();
    open.sort();
    let output = node.log_dir.as_ref().unwrap().join("antnode.out");
    let output = output.to_str().unwrap();
    assert_eq!(
        open,
        [("0", "/dev/null"), ("1", output), ("2", output)].map(|(a, b)| (a.into(), b.into()))
    );
    ground
        .until_said(&node, node.root_dir.to_str().unwrap())
        .await;
    assert!(ground.said(&node).starts_with("5 up in"));
}

#[tokio::test]
async fn an_overgrown_output_is_put_aside_at_a_start() {
    let ground = Ground::new(STAYS);
    let node = ground.node(1);
    let manager = &ground.manager;
    use wnm_core::manager::ProcessManager;
    manager.add(&node, &ground.binary()).await.unwrap();
    let output = node.log_dir.as_ref().unwrap().join("antnode.out");
    std::fs::write(&output, "before\n").unwrap();
    manager.start(&node).await.unwrap();
    ground.until_said(&node, "up").await;
    assert!(ground.said(&node).starts_with("before\n"));
    manager.stop(&node).await.unwrap();
    let file = std::fs::File::options().write(true).open(&output).unwrap();
    file.set_len(10 * 1024 * 1024 + 1).unwrap();
    manager.start(&node).await.unwrap();
    ground.until_said(&node, "up").await;
    assert_eq!(ground.said(&node), "up\n");
    assert!(output.with_file_name("antnode.out.old").exists());
}
