//! wnm dies: the nodes it started live on, and the next run completes the interrupted operation.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;

use wnm_core::fault;
use wnm_core::node::ProcessState;
use wnm_testkit::SingleNode;

use super::backend::{RUNS_FOREVER, Script, TestBackend, is_root, is_running};
use crate::table::Table;

const DIR: &str = "WNM_TEST_DIR";
const OPERATION: &str = "WNM_TEST_OPERATION";

/// Not a test: performs one operation in a separate process. The tests below run it.
#[tokio::test]
#[ignore = "other tests run it in a separate process"]
async fn one_operation() {
    let dir = PathBuf::from(std::env::var_os(DIR).unwrap());
    let program = Arc::new(Script(RUNS_FOREVER.to_owned()));
    let backend = TestBackend::at(&dir, crate::USER, program);
    let node = backend.node(1);
    let manager = &backend.manager;
    match std::env::var(OPERATION).unwrap().as_str() {
        "add" => manager.add_one(&node, &backend.binary()).await.map(|_| ()),
        "start" => manager.start_one(&node).await,
        "stop" => manager.stop_one(&node).await,
        "upgrade" => manager.upgrade_one(&node, &backend.binary()).await,
        "remove" => manager.remove_one(&node).await,
        "add-to-full-storage" => {
            let error = manager.add_one(&node, &backend.binary()).await.unwrap_err();
            let message = error.to_string();
            assert!(
                message.contains("antnode0001/antnode: No space left"),
                "{message}"
            );
            let left = std::fs::read_dir(&node.root_dir).unwrap();
            assert_eq!(left.count(), 0, "a partial copy remains");
            Ok(())
        }
        other => panic!("{other}"),
    }
    .unwrap();
    // Must not clean up on exit: the tests need what it leaves.
    std::mem::forget(backend);
}

/// Performs one operation on node 1 in a separate process, started through a shell as from a crontab line or
/// nohup.
fn run_in_other_process(
    backend: &TestBackend,
    operation: &str,
    fault_point: Option<&str>,
) -> ExitStatus {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "trap '' INT QUIT HUP; exec \"$0\" \"$@\""]);
    run_through(shell, backend, operation, fault_point)
}

fn run_through(
    mut command: Command,
    backend: &TestBackend,
    operation: &str,
    fault_point: Option<&str>,
) -> ExitStatus {
    command
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "tests::crash::one_operation", "--ignored"])
        .env(DIR, &backend.dir)
        .env(OPERATION, operation)
        .stdout(Stdio::null());
    if let Some(point) = fault_point {
        command.env(fault::VARIABLE, point);
    }
    command.status().unwrap()
}

#[tokio::test]
async fn a_node_outlives_the_wnm_that_started_it() {
    let backend = TestBackend::new(RUNS_FOREVER);
    assert!(run_in_other_process(&backend, "add", None).success());
    assert!(run_in_other_process(&backend, "start", None).success());
    let node = backend.node(1);
    let pid = backend.pid(&node).await;
    let process = Table::system().process(pid).unwrap().id;
    assert_eq!(process.session, pid);
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    for mask in ["SigBlk:", "SigIgn:"] {
        let line = status.lines().find_map(|line| line.strip_prefix(mask));
        let bits = u64::from_str_radix(line.unwrap().trim(), 16).unwrap();
        // The bits above are real-time signals, which nothing uses.
        assert_eq!(bits & 0x7fff_ffff, 0, "{mask} {bits:x}");
    }
    assert!(run_in_other_process(&backend, "stop", None).success());
    assert!(!is_running(pid));
}

#[tokio::test]
async fn every_operation_is_completed_by_the_next_run_after_a_crash() {
    let points = crate::FAULT_POINTS
        .iter()
        .filter(|p| p.starts_with("setsid."));
    let mut count = 0;
    for point in points {
        let operation = point.split('.').nth(1).unwrap();
        let backend = TestBackend::new(RUNS_FOREVER);
        let node = backend.node(1);
        let manager = &backend.manager;
        if operation != "add" {
            manager.add_one(&node, &backend.binary()).await.unwrap();
        }
        if !matches!(operation, "add" | "start") {
            manager.start_one(&node).await.unwrap();
        }
        let status = run_in_other_process(&backend, operation, Some(point));
        assert_eq!(status.signal(), Some(9), "{point}: {status}");
        // The next cycle sees a definite state and repeats the step.
        let state = backend.state(&node).await;
        assert!(
            !matches!(state, ProcessState::Unknown(_)),
            "{point}: {state:?}"
        );
        match operation {
            "add" => {
                manager.add_one(&node, &backend.binary()).await.unwrap();
                manager.start_one(&node).await.unwrap();
            }
            "start" => {
                let spawned = backend.pid(&node).await;
                manager.add_one(&node, &backend.binary()).await.unwrap();
                manager.start_one(&node).await.unwrap();
                assert_eq!(backend.pid(&node).await, spawned);
            }
            "stop" => manager.stop_one(&node).await.unwrap(),
            "upgrade" => {
                manager.upgrade_one(&node, &backend.binary()).await.unwrap();
                assert_eq!(backend.state(&node).await, ProcessState::Stopped);
                manager.start_one(&node).await.unwrap();
                assert!(!wnm_host::rollback::path(&node.binary).exists());
            }
            "remove" => manager.remove_one(&node).await.unwrap(),
            other => panic!("{other} is not tested"),
        }
        let state = backend.state(&node).await;
        let expected = match operation {
            "stop" => state == ProcessState::Stopped,
            "remove" => state == ProcessState::Missing && !node.log_dir.as_ref().unwrap().exists(),
            _ => matches!(state, ProcessState::Running { .. }),
        };
        assert!(expected, "{point}: {state:?}");
        count += 1;
    }
    assert!(count >= 9);
}

#[tokio::test]
async fn a_full_storage_is_reported_and_leaves_no_partial_copy() {
    if !is_root() {
        return;
    }
    let backend = TestBackend::new(RUNS_FOREVER);
    let storage = &backend.context.paths.node_storage;
    std::fs::create_dir_all(storage).unwrap();
    // A separate file system, unmounted when the process that mounted it exits.
    let mut shell = Command::new("unshare");
    let script = "mount -t tmpfs -o size=16k small \"$0\" && exec \"$@\"";
    shell.args(["-m", "/bin/sh", "-c", script]).arg(storage);
    assert!(run_through(shell, &backend, "add-to-full-storage", None).success());
}
