use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::sys::signal::{SIGKILL, kill};
use nix::unistd::Pid;
use wnm_core::id::NodeId;
use wnm_core::manager::{ManagerError, ProcessManager};
use wnm_core::node::ProcessState;

use super::ground::{Ground, STAYS, is_root, number_after, runs, until};
use crate::looking;
use crate::process::{Mark, Program, Running};
use crate::table::Table;

/// A node that replaces its own file and goes on in a new process, as the real one does every three days.
const REPLACES_ITSELF: &str = r#"
    [ -n "$AGAIN" ] && { echo again $$; sleep 600 & wait; exit; }
    cp "$2/antnode" "$2/new"; mv -f "$2/new" "$2/antnode"; echo replaced
    read go < "$2/go"
    AGAIN=1 "$2/antnode" -c "$SCRIPT" antnode "$1" "$2" &
"#;

#[tokio::test]
async fn a_node_that_replaced_itself_is_found_under_its_new_number() {
    let script = format!("SCRIPT='{REPLACES_ITSELF}'; export SCRIPT; eval \"$SCRIPT\"");
    let ground = Ground::new(&script);
    let node = ground.node(1);
    ground.manager.add(&node, &ground.binary()).await.unwrap();
    let go = node.root_dir.join("go");
    nix::unistd::mkfifo(&go, nix::sys::stat::Mode::S_IRWXU).unwrap();
    ground.manager.start(&node).await.unwrap();
    ground.until_said(&node, "replaced").await;
    let first = ground.pid(&node).await;
    let link = std::fs::read_link(format!("/proc/{first}/exe")).unwrap();
    assert!(link.to_str().unwrap().ends_with(" (deleted)"), "{link:?}");
    std::fs::write(&go, "\n").unwrap();
    ground.until_said(&node, "again").await;
    until("the end of the first", || !runs(first)).await;
    let second = number_after(&ground.said(&node), "again");
    assert_eq!(ground.pid(&node).await, second);
    ground.manager.start(&node).await.unwrap();
    assert_eq!(ground.pid(&node).await, second);
    ground.manager.stop(&node).await.unwrap();
    assert!(!runs(second));
    let leader = Table::system().everyone().unwrap();
    assert!(
        leader.iter().all(|kin| kin.group != first),
        "its child stayed"
    );
}

#[tokio::test]
async fn an_ended_process_that_nobody_collected_is_no_running_node() {
    let ground = Ground::new(STAYS);
    let node = ground.node(1);
    ground.manager.add(&node, &ground.binary()).await.unwrap();
    let mut child = Command::new(&node.binary)
        .args(["-c", "read x; exit"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = i32::try_from(child.id()).unwrap();
    until("the node", || {
        let found = Table::system().look(pid);
        found.is_some_and(|p| p.program == Program::At(node.binary.clone()))
    })
    .await;
    assert_eq!(ground.pid(&node).await, pid);
    kill(Pid::from_raw(pid), SIGKILL).unwrap();
    until("its end", || !runs(pid)).await;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    assert!(stat.contains(") Z "), "{stat}");
    assert_eq!(ground.state(&node).await, ProcessState::Stopped);
    ground.manager.stop(&node).await.unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn of_two_processes_of_a_node_the_first_is_the_node() {
    let ground = Ground::new(STAYS);
    let node = ground.running(1).await;
    let first = ground.pid(&node).await;
    let start = |pid| Table::system().start_of(pid);
    // Times are in hundredths of a second: one that started in the same is no later one.
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
    until("the second", || {
        let found = Table::system().look(second);
        found.is_some_and(|p| Mark::of(&node).is_of(&p))
    })
    .await;
    assert_eq!(ground.pid(&node).await, first);
    let [a, b] = [first, second].map(|pid| Running {
        pid,
        program: Program::At(node.binary.clone()),
        argv: Vec::new(),
    });
    let table = Table::system();
    let of = |one, other| looking::first(&table, one, other).pid;
    assert_eq!((of(&a, &b), of(&b, &a)), (first, first));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((of(&a, &b), of(&b, &a)), (first, first));
}

#[tokio::test]
async fn a_started_node_that_dies_is_collected() {
    let ground = Ground::new(STAYS);
    let node = ground.running(1).await;
    let pid = ground.pid(&node).await;
    nix::sys::signal::killpg(Pid::from_raw(pid), SIGKILL).unwrap();
    let entry = format!("/proc/{pid}");
    until("its collection", || !std::fs::exists(&entry).unwrap()).await;
    assert_eq!(ground.state(&node).await, ProcessState::Stopped);
}

#[tokio::test]
async fn without_a_process_table_nothing_is_known_and_nothing_done() {
    let ground = Ground::new(STAYS);
    let node = ground.running(1).await;
    let blind = ground.blind();
    let unreachable = |result: Result<(), ManagerError>| match result {
        Err(error @ ManagerError::Unreachable { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let nodes = std::slice::from_ref(&node);
    unreachable(blind.statuses(nodes).await.map(|_| ()));
    unreachable(blind.discover().await.map(|_| ()));
    unreachable(blind.start(&node).await);
    unreachable(blind.stop(&node).await);
    unreachable(blind.upgrade(&node, &ground.binary()).await);
    let words = unreachable(blind.remove(&node).await);
    let words = words.replace(ground.dir.to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(words, @"the process table is not reachable: [dir]/no-table/self: No such file or directory (os error 2)");
    assert!(node.binary.exists());
    assert!(runs(ground.pid(&node).await));
}

#[tokio::test]
async fn nodes_on_the_machine_are_found_for_adoption() {
    let ground = Ground::new(STAYS);
    let running = ground.running(2).await;
    let stopped = ground.node(7);
    ground
        .manager
        .add(&stopped, &ground.binary())
        .await
        .unwrap();
    let storage = &ground.context.paths.node_storage;
    for not_a_node in ["antnode0008", "other", "antnode0009"] {
        std::fs::create_dir(storage.join(not_a_node)).unwrap();
    }
    std::fs::copy("/bin/sh", storage.join("other/antnode")).unwrap();
    // A node that somebody started with ports and a directory of his own.
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
    let mark = Mark::at(&own.join("antnode"), &own);
    until("the node by hand", || {
        Table::system()
            .processes(&|_| true)
            .unwrap()
            .iter()
            .any(|p| mark.is_of(p))
    })
    .await;
    let found = ground.manager.discover().await.unwrap();
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
        .replace(ground.dir.to_str().unwrap(), "[dir]");
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
async fn a_process_in_a_container_is_not_taken_for_a_node_of_the_machine() {
    if !is_root() {
        return;
    }
    let ground = Ground::new(STAYS);
    let node = ground.node(1);
    ground.manager.add(&node, &ground.binary()).await.unwrap();
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
    assert_eq!(ground.state(&node).await, ProcessState::Stopped);
    ground.manager.stop(&node).await.unwrap();
    assert!(container.try_wait().unwrap().is_none());
    drop(container.stdin.take());
    container.wait().unwrap();
}
