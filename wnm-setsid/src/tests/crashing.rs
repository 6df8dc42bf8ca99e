//! wnm dies: the nodes it started live on, and the next run completes what it had begun.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;

use wnm_core::fault;
use wnm_core::kind::ManagerKind;
use wnm_core::manager::ProcessManager;
use wnm_core::node::ProcessState;

use super::ground::{Ground, STAYS, Script, is_root, runs};
use crate::table::Table;

const DIR: &str = "WNM_TEST_DIR";
const ACT: &str = "WNM_TEST_ACT";

/// Not a test: another process that does one act and ends. Run by the tests below.
#[tokio::test]
#[ignore = "run by other tests as a process of its own"]
async fn one_act() {
    let dir = PathBuf::from(std::env::var_os(DIR).unwrap());
    let program = Arc::new(Script(STAYS.to_owned()));
    let ground = Ground::at(&dir, ManagerKind::SETSID_USER, program);
    let node = ground.node(1);
    let manager = &ground.manager;
    match std::env::var(ACT).unwrap().as_str() {
        "add" => manager.add(&node, &ground.binary()).await.map(|_| ()),
        "start" => manager.start(&node).await,
        "stop" => manager.stop(&node).await,
        "upgrade" => manager.upgrade(&node, &ground.binary()).await,
        "remove" => manager.remove(&node).await,
        "add-where-it-is-full" => {
            let error = manager.add(&node, &ground.binary()).await.unwrap_err();
            let words = error.to_string();
            assert!(
                words.contains("antnode0001/antnode: No space left"),
                "{words}"
            );
            let left = std::fs::read_dir(&node.root_dir).unwrap();
            assert_eq!(left.count(), 0, "half a copy stayed");
            Ok(())
        }
        other => panic!("{other}"),
    }
    .unwrap();
    // Its end must not clean up: that is what is tested.
    std::mem::forget(ground);
}

/// Does one act on node 1 in a process of its own, which a shell starts as a crontab line or nohup would.
fn in_another_process(ground: &Ground, act: &str, fault_point: Option<&str>) -> ExitStatus {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "trap '' INT QUIT HUP; exec \"$0\" \"$@\""]);
    act_through(shell, ground, act, fault_point)
}

fn act_through(
    mut command: Command,
    ground: &Ground,
    act: &str,
    fault_point: Option<&str>,
) -> ExitStatus {
    command
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "tests::crashing::one_act", "--ignored"])
        .env(DIR, &ground.dir)
        .env(ACT, act)
        .stdout(Stdio::null());
    if let Some(point) = fault_point {
        command.env(fault::VARIABLE, point);
    }
    command.status().unwrap()
}

#[tokio::test]
async fn a_node_outlives_the_wnm_that_started_it() {
    let ground = Ground::new(STAYS);
    assert!(in_another_process(&ground, "add", None).success());
    assert!(in_another_process(&ground, "start", None).success());
    let node = ground.node(1);
    let pid = ground.pid(&node).await;
    let kin = Table::system().look(pid).unwrap().kin;
    assert_eq!(kin.session, pid);
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    for mask in ["SigBlk:", "SigIgn:"] {
        let line = status.lines().find_map(|line| line.strip_prefix(mask));
        let bits = u64::from_str_radix(line.unwrap().trim(), 16).unwrap();
        // Above these are the real-time signals, which nothing uses.
        assert_eq!(bits & 0x7fff_ffff, 0, "{mask} {bits:x}");
    }
    assert!(in_another_process(&ground, "stop", None).success());
    assert!(!runs(pid));
}

#[tokio::test]
async fn every_act_is_completed_by_the_next_run_wherever_the_last_one_died() {
    let points = crate::FAULT_POINTS
        .iter()
        .filter(|p| p.starts_with("setsid."));
    let mut tried = 0;
    for point in points {
        let act = point.split('.').nth(1).unwrap();
        let ground = Ground::new(STAYS);
        let node = ground.node(1);
        let manager = &ground.manager;
        if act != "add" {
            manager.add(&node, &ground.binary()).await.unwrap();
        }
        if !matches!(act, "add" | "start") {
            manager.start(&node).await.unwrap();
        }
        let died = in_another_process(&ground, act, Some(point));
        assert_eq!(died.signal(), Some(9), "{point}: {died}");
        // What the next cycle sees it can say for certain, and it takes the step again.
        let seen = ground.state(&node).await;
        assert!(
            !matches!(seen, ProcessState::Unknown(_)),
            "{point}: {seen:?}"
        );
        match act {
            "add" => {
                manager.add(&node, &ground.binary()).await.unwrap();
                manager.start(&node).await.unwrap();
            }
            "start" => {
                let spawned = ground.pid(&node).await;
                manager.add(&node, &ground.binary()).await.unwrap();
                manager.start(&node).await.unwrap();
                assert_eq!(ground.pid(&node).await, spawned);
            }
            "stop" => manager.stop(&node).await.unwrap(),
            "upgrade" => {
                manager.upgrade(&node, &ground.binary()).await.unwrap();
                assert_eq!(ground.state(&node).await, ProcessState::Stopped);
                manager.start(&node).await.unwrap();
                assert!(!wnm_host::rollback::path(&node.binary).exists());
            }
            "remove" => manager.remove(&node).await.unwrap(),
            other => panic!("{other} is not tested"),
        }
        let end = ground.state(&node).await;
        let right = match act {
            "stop" => end == ProcessState::Stopped,
            "remove" => end == ProcessState::Missing && !node.log_dir.as_ref().unwrap().exists(),
            _ => matches!(end, ProcessState::Running { .. }),
        };
        assert!(right, "{point}: {end:?}");
        tried += 1;
    }
    assert!(tried >= 9);
}

#[tokio::test]
async fn a_full_storage_is_said_and_leaves_no_half_copy() {
    if !is_root() {
        return;
    }
    let ground = Ground::new(STAYS);
    let storage = &ground.context.paths.node_storage;
    std::fs::create_dir_all(storage).unwrap();
    // A disk of its own, which goes with the process that mounted it.
    let mut shell = Command::new("unshare");
    let script = "mount -t tmpfs -o size=16k small \"$0\" && exec \"$@\"";
    shell.args(["-m", "/bin/sh", "-c", script]).arg(storage);
    assert!(act_through(shell, &ground, "add-where-it-is-full", None).success());
}
