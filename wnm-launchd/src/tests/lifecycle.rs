//! What a node goes through, and what is left when a step of it fails.

use wnm_core::kind::ManagerKind;
use wnm_core::manager::{ManagerError, ProcessManager};
use wnm_core::node::ProcessState;
use wnm_host::rollback;
use wnm_tests::launchd::Behaviour;
use wnm_tests::wait::LONG;

use super::ground::Ground;

fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z")
}

#[tokio::test]
async fn a_node_comes_and_goes_and_every_step_may_be_taken_twice() {
    let ground = Ground::new();
    let manager = &ground.manager;
    let node = ground.added(7).await;
    let again = manager.add(&node, &ground.binary("first")).await.unwrap();
    assert_eq!(again.service, "com.autonomi.antnode-7");
    assert_eq!(ground.state(&node).await, ProcessState::Stopped);
    manager.start(&node).await.unwrap();
    let pid = ground.pid(&node).await;
    manager.start(&node).await.unwrap();
    assert_eq!(ground.pid(&node).await, pid);
    for _ in 0..2 {
        manager.stop(&node).await.unwrap();
        assert_eq!(ground.state(&node).await, ProcessState::Stopped);
        assert!(!runs(pid));
    }
    // The label is still busy, and it is waited for.
    manager.start(&node).await.unwrap();
    let pid = ground.pid(&node).await;
    for _ in 0..2 {
        manager.remove(&node).await.unwrap();
        assert_eq!(ground.state(&node).await, ProcessState::Missing);
    }
    assert!(!runs(pid));
    assert!(!node.root_dir.exists() && !node.log_dir.unwrap().exists());
    assert!(!ground.job_file(&node.service).exists());
}

#[tokio::test]
async fn a_stopped_node_stays_stopped_over_a_reboot_and_a_running_one_comes_back() {
    let mut ground = Ground::new();
    let (first, second) = (ground.running(1).await, ground.running(2).await);
    ground.manager.stop(&second).await.unwrap();
    let jobs = ground.dir.path().join("jobs");
    let domain = ground.manager.usual_domain().to_string();
    ground
        .launchd
        .behave(|launchd| launchd.takes_at_boot(&domain, &jobs));
    ground.launchd.reboot();
    let deadline = tokio::time::Instant::now() + LONG;
    while !matches!(ground.state(&first).await, ProcessState::Running { .. }) {
        assert!(
            tokio::time::Instant::now() < deadline,
            "it does not come back"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(ground.state(&second).await, ProcessState::Stopped);
    ground.manager.start(&second).await.unwrap();
    ground.pid(&second).await;
}

#[tokio::test]
async fn what_is_killed_comes_back_by_itself() {
    let ground = Ground::new();
    let node = ground.running(7).await;
    let pid = ground.pid(&node).await;
    let raw = nix::unistd::Pid::from_raw(pid.cast_signed());
    nix::sys::signal::kill(raw, nix::sys::signal::Signal::SIGKILL).unwrap();
    let deadline = tokio::time::Instant::now() + LONG;
    loop {
        let state = ground.state(&node).await;
        match state {
            ProcessState::Running { pid: Some(now) } if now != pid => break,
            // Between the two there is none.
            ProcessState::Running { .. } | ProcessState::Stopped => {}
            other => panic!("{other:?}"),
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "it does not come back"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_start_that_launchd_calls_a_success_is_judged_by_the_state() {
    let ground = Ground::new();
    let node = ground.node(7);
    ground.manager.add(&node, &ground.broken()).await.unwrap();
    let error = ground.manager.start(&node).await.unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, ManagerError::Rejected { .. }), "{told}");
    assert!(
        told.starts_with("starting com.autonomi.antnode-7: launchd says "),
        "{told}"
    );
    assert!(told.ends_with("last exit code 3; no such key"), "{told}");
    // launchd would go on trying, now and after the next login.
    assert_eq!(ground.state(&node).await, ProcessState::Stopped);
    assert_eq!(ground.times("disable"), 1);
    let before = ground.times("list");
    ground
        .manager
        .statuses(std::slice::from_ref(&node))
        .await
        .unwrap();
    assert_eq!(ground.times("list"), before + 1);

    // A program that cannot be run at all.
    std::fs::remove_file(&node.binary).unwrap();
    let error = ground.manager.start(&node).await.unwrap_err().to_string();
    assert!(error.contains("78: EX_CONFIG"), "{error}");
    // With its program it starts.
    ground
        .manager
        .add(&node, &ground.binary("first"))
        .await
        .unwrap();
    ground.manager.start(&node).await.unwrap();
    ground.pid(&node).await;
}

#[tokio::test]
async fn an_upgrade_restarts_only_what_ran() {
    let ground = Ground::new();
    let (still, runs) = (ground.added(1).await, ground.running(2).await);
    let before = ground.pid(&runs).await;
    let second = ground.binary("second");
    for node in [&still, &runs] {
        ground.manager.upgrade(node, &second).await.unwrap();
        assert!(ground.has(node, "second"));
    }
    assert_eq!(ground.state(&still).await, ProcessState::Stopped);
    assert_ne!(ground.pid(&runs).await, before);
    assert_eq!(
        (ground.times("kickstart -k"), ground.times("bootout")),
        (1, 0)
    );
    assert!(!rollback::path(&runs.binary).exists());
    ground.manager.start(&still).await.unwrap();
    assert!(!rollback::path(&still.binary).exists());
}

#[tokio::test]
async fn a_program_that_does_not_start_is_taken_back() {
    let ground = Ground::new();
    let node = ground.running(7).await;
    let broken = ground.broken();
    let error = ground.manager.upgrade(&node, &broken).await.unwrap_err();
    let told = error.to_string();
    assert!(
        told.ends_with("the previous program was put back and runs"),
        "{told}"
    );
    assert!(ground.has(&node, "first"));
    ground.pid(&node).await;
}

async fn environment(ground: &Ground, node: &wnm_core::node::Node) -> String {
    let pid = ground.pid(node).await;
    std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap()
}

#[tokio::test]
async fn settings_that_changed_reach_the_job_at_the_next_start_or_upgrade() {
    let ground = Ground::new();
    let mut node = ground.running(7).await;
    node.environment = Some("NOTE='a b'".to_owned());
    // Not while it runs: what launchd holds is what is on disk.
    ground.manager.start(&node).await.unwrap();
    assert!(!ground.text(&node).contains("NOTE"));
    let second = ground.binary("second");
    ground.manager.upgrade(&node, &second).await.unwrap();
    assert!(environment(&ground, &node).await.contains("NOTE=a b\0"));
    node.environment = Some("NOTE=c".to_owned());
    ground.manager.stop(&node).await.unwrap();
    ground.manager.start(&node).await.unwrap();
    assert!(environment(&ground, &node).await.contains("NOTE=c\0"));
}

#[tokio::test]
async fn a_teardown_ends_all_at_once_and_goes_on_past_a_failure() {
    let ground = Ground::new();
    let mut nodes = Vec::new();
    for number in 1..=3 {
        nodes.push(ground.running(number).await);
    }
    nodes.push(ground.added(4).await);
    let mut strange = ground.node(5);
    strange.service = "no label".to_owned();
    nodes.push(strange);
    let error = ground.manager.teardown(&nodes).await.unwrap_err();
    assert!(error.to_string().contains("'no label'"), "{error}");
    let left = std::fs::read_dir(ground.dir.path().join("jobs")).unwrap();
    assert_eq!(left.count(), 0);
    for node in &nodes[..4] {
        assert!(!node.root_dir.exists());
    }
    ground.manager.teardown(&nodes[..4]).await.unwrap();
}

#[tokio::test]
async fn nodes_of_the_machine_run_as_their_account() {
    if !nix::unistd::geteuid().is_root() {
        return wnm_tests::real::skip("driving the launchd of a machine needs root");
    }
    let behaviour = Behaviour {
        listed: Some("system".to_owned()),
        ..Behaviour::default()
    };
    let ground = Ground::with(ManagerKind::LAUNCHD_SUDO, behaviour);
    // The account goes through it to its program.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(ground.dir.path(), open).unwrap();
    let node = ground.running(7).await;
    let pid = ground.pid(&node).await;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let account = wnm_host::Account::named("nobody").unwrap();
    assert!(
        status.contains(&format!("Uid:\t{}\t", account.uid)),
        "{status}"
    );
    assert_eq!(ground.times("bootstrap system"), 1);
    ground.manager.stop(&node).await.unwrap();
    assert_eq!(ground.state(&node).await, ProcessState::Stopped);
    ground.manager.remove(&node).await.unwrap();
    assert_eq!(ground.state(&node).await, ProcessState::Missing);
}
