use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::sys::signal::{SIGKILL, kill};
use nix::unistd::Pid;
use wnm_core::id::NodeId;
use wnm_core::manager::{ManagerError, ProcessManager};
use wnm_core::node::ProcessState;
use wnm_testkit::SingleNode;

use super::backend::{RUNS_FOREVER, TestBackend, is_root, is_running, pid_after, wait_until};
use crate::matching::{NodeMatcher, Program, RunningProgram};
use crate::status;
use crate::table::Table;

/// A node that replaces its own file and continues in a new process, as antnode does every three days.
const REPLACES_ITSELF: &str = r#"
    [ -n "$AGAIN" ] && { echo again $$; sleep 600 & wait; exit; }
    cp "$2/antnode" "$2/new"; mv -f "$2/new" "$2/antnode"; echo replaced
    read go < "$2/go"
    AGAIN=1 "$2/antnode" -c "$SCRIPT" antnode "$1" "$2" &
"#;

#[tokio::test]
async fn a_node_that_replaced_itself_is_found_under_its_new_pid() {
    let script = format!("SCRIPT='{REPLACES_ITSELF}'; export SCRIPT; eval \"$SCRIPT\"");
    let backend = TestBackend::new(&script);
    let node = backend.node(1);
    backend
        .manager
        .add_one(&node, &backend.binary())
        .await
        .unwrap();
    let go = node.root_dir.join("go");
    nix::unistd::mkfifo(&go, nix::sys::stat::Mode::S_IRWXU).unwrap();
    backend.manager.start_one(&node).await.unwrap();
    backend.wait_for_output(&node, "replaced").await;
    let first = backend.pid(&node).await;
    let link = std::fs::read_link(format!("/proc/{first}/exe")).unwrap();
    assert!(link.to_str().unwrap().ends_with(" (deleted)"), "{link:?}");
    std::fs::write(&go, "\n").unwrap();
    backend.wait_for_output(&node, "again").await;
    wait_until("the first process exits", || !is_running(first)).await;
    let second = pid_after(&backend.output(&node), "again");
    assert_eq!(backend.pid(&node).await, second);
    backend.manager.start_one(&node).await.unwrap();
    assert_eq!(backend.pid(&node).await, second);
    backend.manager.stop_one(&node).await.unwrap();
    assert!(!is_running(second));
    let leader = Table::system().all().unwrap();
    assert!(
        leader.iter().all(|process| process.group != first),
        "its child still runs"
    );
}

#[tokio::test]
async fn a_zombie_does_not_count_as_running() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let node = backend.node(1);
    backend
        .manager
        .add_one(&node, &backend.binary())
        .await
        .unwrap();
    let mut child = Command::new(&node.binary)
        .args(["-c", "read x; exit"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = i32::try_from(child.id()).unwrap();
    wait_until("the node runs", || {
        let found = Table::system().process(pid);
        found.is_some_and(|p| p.program == Program::At(node.binary.clone()))
    })
    .await;
    assert_eq!(backend.pid(&node).await, pid);
    kill(Pid::from_raw(pid), SIGKILL).unwrap();
    wait_until("the node exits", || !is_running(pid)).await;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    assert!(stat.contains(") Z "), "{stat}");
    assert_eq!(backend.state(&node).await, ProcessState::Stopped);
    backend.manager.stop_one(&node).await.unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn the_older_of_two_processes_is_the_node() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let node = backend.running(1).await;
    let first = backend.pid(&node).await;
    let start = |pid| Table::system().start_time(pid);
    // Start times count hundredths of a second: retry until the second process starts in a later one.
    let mut child = loop {
        let mut child = Command::new(&node.binary)
            .args(["-c", "read x; exit"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        if start(i32::try_from(child.id()).unwrap()) > start(first) {
            break child;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    };
    let second = i32::try_from(child.id()).unwrap();
    wait_until("the second process runs", || {
        let found = Table::system().process(second);
        found.is_some_and(|p| NodeMatcher::for_node(&node).matches(&p))
    })
    .await;
    assert_eq!(backend.pid(&node).await, first);
    let [a, b] = [first, second].map(|pid| RunningProgram {
        pid,
        program: Program::At(node.binary.clone()),
        argv: Vec::new(),
    });
    let table = Table::system();
    let older = |one, other| status::started_first(&table, one, other).pid;
    assert_eq!((older(&a, &b), older(&b, &a)), (first, first));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((older(&a, &b), older(&b, &a)), (first, first));
}

#[tokio::test]
async fn a_started_node_that_dies_is_reaped() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let node = backend.running(1).await;
    let pid = backend.pid(&node).await;
    nix::sys::signal::killpg(Pid::from_raw(pid), SIGKILL).unwrap();
    let entry = format!("/proc/{pid}");
    wait_until("the node is reaped", || !std::fs::exists(&entry).unwrap()).await;
    assert_eq!(backend.state(&node).await, ProcessState::Stopped);
}

#[tokio::test]
async fn without_a_process_table_every_operation_fails() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let node = backend.running(1).await;
    let unreadable = backend.with_unreadable_table();
    let unreachable = |result: Result<(), ManagerError>| match result {
        Err(error @ ManagerError::Unreachable { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let nodes = std::slice::from_ref(&node);
    unreachable(unreadable.statuses(nodes).await.map(|_| ()));
    unreachable(unreadable.discover().await.map(|_| ()));
    unreachable(unreadable.start_one(&node).await);
    unreachable(unreadable.stop_one(&node).await);
    unreachable(unreadable.upgrade_one(&node, &backend.binary()).await);
    let message = unreachable(unreadable.remove_one(&node).await);
    let message = message.replace(backend.dir.to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(message, @"the process table is not reachable: [dir]/no-table/self: No such file or directory (os error 2)");
    assert!(node.binary.exists());
    assert!(is_running(backend.pid(&node).await));
}

#[tokio::test]
async fn discover_finds_nodes_for_adoption() {
    let backend = TestBackend::new(RUNS_FOREVER);
    let running = backend.running(2).await;
    let stopped = backend.node(7);
    backend
        .manager
        .add_one(&stopped, &backend.binary())
        .await
        .unwrap();
    let storage = &backend.context.paths.node_storage;
    for not_a_node in ["antnode0008", "other", "antnode0009"] {
        std::fs::create_dir(storage.join(not_a_node)).unwrap();
    }
    std::fs::copy("/bin/sh", storage.join("other/antnode")).unwrap();
    // A node that someone started with their own ports and directory.
    let own = storage.join("my node");
    std::fs::create_dir(&own).unwrap();
    std::fs::copy("/bin/sh", own.join("antnode")).unwrap();
    let mut by_hand = Command::new(own.join("antnode"))
        .args(["-c", "echo; sleep 600; echo", "antnode", "--root-dir"])
        .arg(&own)
        .args(["--port=4001", "--metrics-server-port", "4002"])
        .args(["--log-output-dest", "/tmp/x y", "--rewards-address"])
        .args([
            "0x00455d78f850b0358E8cea5be24d415E01E107CF",
            "evm-arbitrum-sepolia",
        ])
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let matcher = NodeMatcher::for_paths(&own.join("antnode"), &own);
    wait_until("the node started by hand runs", || {
        Table::system()
            .processes(&|_| true)
            .unwrap()
            .iter()
            .any(|p| matcher.matches(p))
    })
    .await;
    let found = backend.manager.discover().await.unwrap();
    let lines: Vec<String> = found
        .iter()
        .map(|node| {
            let runs = matches!(node.state, ProcessState::Running { pid: Some(_) });
            format!(
                "{:?} {} runs={runs} {} {:?} {:?} {:?} {:?}",
                node.id.map(NodeId::get),
                node.service,
                node.ports.node,
                node.ports.metrics.map(|port| port.get()),
                node.log_dir,
                node.network,
                node.wallet.map(|wallet| wallet.to_string()),
            )
        })
        .collect();
    let lines = lines
        .join("\n")
        .replace(backend.dir.to_str().unwrap(), "[dir]");
    let group = Pid::from_raw(i32::try_from(by_hand.id()).unwrap());
    nix::sys::signal::killpg(group, SIGKILL).unwrap();
    by_hand.wait().unwrap();
    insta::assert_snapshot!(lines, @r#"
    Some(2) antnode0002 runs=true 55002 None Some("[dir]/state/logs/antnode0002") None None
    Some(7) antnode0007 runs=false 55007 Some(13007) Some("[dir]/state/logs/antnode0007") None None
    None my node runs=true 4001 Some(4002) Some("/tmp/x y") Some("evm-arbitrum-sepolia") Some("0x00455d78f850b0358E8cea5be24d415E01E107CF")
    "#);
    assert_eq!(found[0].root_dir, running.root_dir);
    let me = nix::unistd::User::from_uid(nix::unistd::geteuid())
        .unwrap()
        .unwrap();
    assert!(found.iter().all(|node| node.user == me.name));
}

#[tokio::test]
async fn a_process_in_a_container_is_not_a_node_of_the_machine() {
    if !is_root() {
        return;
    }
    let backend = TestBackend::new(RUNS_FOREVER);
    let node = backend.node(1);
    backend
        .manager
        .add_one(&node, &backend.binary())
        .await
        .unwrap();
    let mut container = Command::new("unshare")
        .args(["--pid", "--fork", "--kill-child", "--"])
        .arg(&node.binary)
        .args(["-c", "echo up; read x", "antnode", "--root-dir"])
        .arg(&node.root_dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut up = [0; 3];
    std::io::Read::read_exact(container.stdout.as_mut().unwrap(), &mut up).unwrap();
    assert_eq!(backend.state(&node).await, ProcessState::Stopped);
    backend.manager.stop_one(&node).await.unwrap();
    assert!(container.try_wait().unwrap().is_none());
    drop(container.stdin.take());
    container.wait().unwrap();
}
