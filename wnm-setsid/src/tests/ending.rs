use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use wnm_core::manager::ProcessManager;
use wnm_core::node::ProcessState;

use super::ground::{Ground, STAYS, number_after, runs, until};

#[tokio::test]
async fn a_node_that_will_not_end_is_killed_with_its_children() {
    let mut ground = Ground::new("trap '' TERM; sleep 600 & echo child $!; wait; sleep 600");
    ground.manager = ground.manager_with_grace(Duration::from_millis(200));
    let node = ground.running(1).await;
    ground.until_said(&node, "child").await;
    let child = number_after(&ground.said(&node), "child");
    let pid = ground.pid(&node).await;
    ground.manager.stop(&node).await.unwrap();
    assert!(!runs(pid) && !runs(child));
}

#[tokio::test]
async fn a_node_is_asked_before_it_is_killed() {
    let ground = Ground::new("trap 'echo asked; exit 0' TERM; sleep 600 & echo up; wait");
    let node = ground.running(1).await;
    ground.until_said(&node, "up").await;
    ground.manager.stop(&node).await.unwrap();
    assert!(ground.said(&node).contains("asked"));
}

#[tokio::test]
async fn a_child_that_outlives_its_node_is_ended_too() {
    let script = "sh -c 'trap \"\" TERM; echo child $$; sleep 600; sleep 600' & echo up; wait";
    let mut ground = Ground::new(script);
    ground.manager = ground.manager_with_grace(Duration::from_millis(500));
    let node = ground.running(1).await;
    ground.until_said(&node, "child").await;
    let child = number_after(&ground.said(&node), "child");
    ground.manager.stop(&node).await.unwrap();
    assert!(!runs(child));
}

#[tokio::test]
async fn innocent_processes_are_left_alone() {
    let ground = Ground::new(STAYS);
    let node = ground.running(1).await;
    let other = ground.running(2).await;
    let spawn = |command: &mut Command| command.stdin(Stdio::null()).spawn().unwrap();
    let mut named = spawn(Command::new("/bin/sleep").arg("600"));
    std::fs::write(node.root_dir.join("antnode.pid"), named.id().to_string()).unwrap();
    let root = node.root_dir.as_os_str();
    let mut alike = spawn(
        Command::new("/bin/sh")
            .arg0(&node.binary)
            .args(["-c", "sleep 600 & wait", "x", "--root-dir"])
            .arg(root)
            .process_group(0),
    );
    ground.manager.stop(&node).await.unwrap();
    assert_eq!(ground.state(&node).await, ProcessState::Stopped);
    for child in [&mut named, &mut alike] {
        assert!(child.try_wait().unwrap().is_none());
    }
    assert!(runs(ground.pid(&other).await));
    // Nor is a stopped node's number in a file taken for a running node by a removal.
    ground.manager.remove(&node).await.unwrap();
    assert!(named.try_wait().unwrap().is_none());
    for mut child in [named, alike] {
        let group = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::SIGKILL);
        let _ = child.kill();
        child.wait().unwrap();
    }
}

#[tokio::test]
async fn a_node_started_by_hand_is_ended_without_its_shell() {
    let ground = Ground::new(STAYS);
    let node = ground.node(1);
    ground.manager.add(&node, &ground.binary()).await.unwrap();
    let script = "\"$0\" -c 'echo; sleep 600; echo' x --root-dir \"$1\" & echo $!; sleep 600";
    let mut shell = Command::new("/usr/bin/setsid")
        .args(["/bin/sh", "-c", script])
        .args([&node.binary, &node.root_dir])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until("the node by hand", || {
        let table = crate::table::Table::system();
        let mark = crate::process::Mark::of(&node);
        table
            .processes(&|_| true)
            .unwrap()
            .iter()
            .any(|p| mark.is_of(p))
    })
    .await;
    ground.manager.stop(&node).await.unwrap();
    assert_eq!(ground.state(&node).await, ProcessState::Stopped);
    assert!(shell.try_wait().unwrap().is_none());
    let group = nix::unistd::Pid::from_raw(i32::try_from(shell.id()).unwrap());
    nix::sys::signal::killpg(group, nix::sys::signal::SIGKILL).unwrap();
    shell.wait().unwrap();
}

impl Ground {
    fn manager_with_grace(&self, grace: Duration) -> crate::Setsid {
        crate::Setsid::new(self.manager.kind, self.context.clone()).with_grace(grace)
    }
}

#[tokio::test]
async fn a_teardown_ends_nodes_together_and_goes_on_past_one_that_is_kept() {
    // Each takes its whole grace. One after the other they would pass the deadline of the test.
    let mut ground = Ground::new("trap '' TERM; echo up; sleep 600; sleep 600");
    ground.manager = ground.manager_with_grace(Duration::from_secs(2));
    let mut nodes = Vec::new();
    for id in 1..=8 {
        let node = ground.running(id).await;
        ground.until_said(&node, "up").await;
        nodes.push(node);
    }
    let elsewhere = tempfile::tempdir().unwrap();
    nodes[2].log_dir = Some(elsewhere.path().to_owned());
    let torn_down = ground.manager.teardown(&nodes);
    let torn_down = tokio::time::timeout(Duration::from_secs(10), torn_down).await;
    let error = torn_down.unwrap().unwrap_err().to_string();
    assert!(
        error.contains(&elsewhere.path().display().to_string()),
        "{error}"
    );
    for node in &nodes {
        assert_eq!(ground.state(node).await, ProcessState::Missing);
    }
}
