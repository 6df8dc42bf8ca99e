use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use wnm_core::node::ProcessState;
use wnm_testkit::SingleNode;

use super::backend::{RUNS_FOREVER, TestBackend, is_running, pid_after, wait_until};

#[tokio::test]
async fn a_node_that_ignores_sigterm_is_killed_with_its_children() {
    let mut backend = TestBackend::new("trap '' TERM; sleep 600 & echo child $!; wait; sleep 600");
    backend.manager = backend.manager_with_grace(Duration::from_millis(200));
    let node = backend.running(1).await;
    backend.wait_for_output(&node, "child").await;
    let child = pid_after(&backend.output(&node), "child");
    let pid = backend.pid(&node).await;
    backend.manager.stop_one(&node).await.unwrap();
    assert!(!is_running(pid) && !is_running(child));
}

#[tokio::test]
async fn a_node_gets_sigterm_before_sigkill() {
    let backend = TestBackend::new("trap 'echo asked; exit 0' TERM; sleep 600 & echo up; wait");
    let node = backend.running(1).await;
    backend.wait_for_output(&node, "up").await;
    backend.manager.stop_one(&node).await.unwrap();
    assert!(backend.output(&node).contains("asked"));
}

#[tokio::test]
async fn a_child_that_outlives_its_node_is_killed() {
    let script = "sh -c 'trap \"\" TERM; echo child $$; sleep 600; sleep 600' & echo up; wait";
    let mut backend = TestBackend::new(script);
    backend.manager = backend.manager_with_grace(Duration::from_millis(500));
    let node = backend.running(1).await;
    backend.wait_for_output(&node, "child").await;
    let child = pid_after(&backend.output(&node), "child");
    backend.manager.stop_one(&node).await.unwrap();
    assert!(!is_running(child));
}

#[tokio::test]
async fn unrelated_processes_are_left_alone() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let node = backend.running(1).await;
    let other = backend.running(2).await;
    let spawn = |command: &mut Command| command.stdin(Stdio::null()).spawn().unwrap();
    let mut from_pid_file = spawn(Command::new("/bin/sleep").arg("600"));
    std::fs::write(
        node.root_dir.join("antnode.pid"),
        from_pid_file.id().to_string(),
    )
    .unwrap();
    let root = node.root_dir.as_os_str();
    let mut same_argv = spawn(
        Command::new("/bin/sh")
            .arg0(&node.binary)
            .args(["-c", "sleep 600 & wait", "x", "--root-dir"])
            .arg(root)
            .process_group(0),
    );
    backend.manager.stop_one(&node).await.unwrap();
    assert_eq!(backend.state(&node).await, ProcessState::Stopped);
    for child in [&mut from_pid_file, &mut same_argv] {
        assert!(child.try_wait().unwrap().is_none());
    }
    assert!(is_running(backend.pid(&other).await));
    // A removal does not mistake the pid in a stopped node's pid file for the node either.
    backend.manager.remove_one(&node).await.unwrap();
    assert!(from_pid_file.try_wait().unwrap().is_none());
    for mut child in [from_pid_file, same_argv] {
        let group = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::SIGKILL);
        let _ = child.kill();
        child.wait().unwrap();
    }
}

#[tokio::test]
async fn a_node_started_by_hand_is_stopped_without_its_shell() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let node = backend.node(1);
    backend
        .manager
        .add_one(&node, &backend.binary())
        .await
        .unwrap();
    let script = "\"$0\" -c 'echo; sleep 600; echo' x --root-dir \"$1\" & echo $!; sleep 600";
    let mut shell = Command::new("/usr/bin/setsid")
        .args(["/bin/sh", "-c", script])
        .args([&node.binary, &node.root_dir])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the node started by hand runs", || {
        let table = crate::table::Table::system();
        let matcher = crate::matching::NodeMatcher::for_node(&node);
        table
            .processes(&|_| true)
            .unwrap()
            .iter()
            .any(|p| matcher.matches(p))
    })
    .await;
    backend.manager.stop_one(&node).await.unwrap();
    assert_eq!(backend.state(&node).await, ProcessState::Stopped);
    assert!(shell.try_wait().unwrap().is_none());
    let group = nix::unistd::Pid::from_raw(i32::try_from(shell.id()).unwrap());
    nix::sys::signal::killpg(group, nix::sys::signal::SIGKILL).unwrap();
    shell.wait().unwrap();
}

impl TestBackend {
    fn manager_with_grace(&self, grace: Duration) -> crate::Setsid {
        crate::Setsid::new(self.manager.kind.clone(), self.context.clone()).with_grace(grace)
    }
}

#[tokio::test]
async fn a_teardown_stops_nodes_concurrently_and_continues_past_failures() {
    // Each node takes its whole grace period. In sequence they would exceed the test's deadline.
    let mut backend = TestBackend::new("trap '' TERM; echo up; sleep 600; sleep 600");
    backend.manager = backend.manager_with_grace(Duration::from_secs(2));
    let mut nodes = Vec::new();
    for id in 1..=8 {
        let node = backend.running(id).await;
        backend.wait_for_output(&node, "up").await;
        nodes.push(node);
    }
    let elsewhere = tempfile::tempdir().unwrap();
    nodes[2].log_dir = Some(elsewhere.path().to_owned());
    let torn_down = backend.manager.teardown(&nodes);
    let torn_down = tokio::time::timeout(Duration::from_secs(10), torn_down).await;
    let error = torn_down.unwrap().unwrap_err().to_string();
    assert!(
        error.contains(&elsewhere.path().display().to_string()),
        "{error}"
    );
    for node in &nodes {
        assert_eq!(backend.state(node).await, ProcessState::Missing);
    }
}
