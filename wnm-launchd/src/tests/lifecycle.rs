//! Checks the life of a node, and what remains when a step fails.

use wnm_core::manager::{ManagerError, ProcessManager};
use wnm_core::node::ProcessState;
use wnm_host::rollback;
use wnm_testkit::SingleNode;
use wnm_tests::launchd::Behaviour;
use wnm_tests::wait::LONG;

use super::backend::TestBackend;

fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z")
}

#[tokio::test]
async fn every_lifecycle_step_is_idempotent() {
    let backend = TestBackend::new();
    let manager = &backend.manager;
    let node = backend.add_node(7).await;
    let again = manager
        .add_one(&node, &backend.binary("first"))
        .await
        .unwrap();
    assert_eq!(again.service, "com.autonomi.antnode-7");
    assert_eq!(backend.state(&node).await, ProcessState::Stopped);
    manager.start_one(&node).await.unwrap();
    let pid = backend.pid(&node).await;
    manager.start_one(&node).await.unwrap();
    assert_eq!(backend.pid(&node).await, pid);
    for _ in 0..2 {
        manager.stop_one(&node).await.unwrap();
        assert_eq!(backend.state(&node).await, ProcessState::Stopped);
        assert!(!is_alive(pid));
    }
    // The label is still busy, so the start must wait.
    manager.start_one(&node).await.unwrap();
    let pid = backend.pid(&node).await;
    for _ in 0..2 {
        manager.remove_one(&node).await.unwrap();
        assert_eq!(backend.state(&node).await, ProcessState::Missing);
    }
    assert!(!is_alive(pid));
    assert!(!node.root_dir.exists() && !node.log_dir.unwrap().exists());
    assert!(!backend.job_file(&node.service).exists());
}

#[tokio::test]
async fn after_a_reboot_running_nodes_return_and_stopped_nodes_do_not() {
    let mut backend = TestBackend::new();
    let (first, second) = (backend.start_node(1).await, backend.start_node(2).await);
    backend.manager.stop_one(&second).await.unwrap();
    let jobs = backend.dir.path().join("jobs");
    let domain = backend.manager.default_domain().to_string();
    backend
        .launchd
        .behave(|launchd| launchd.takes_at_boot(&domain, &jobs));
    backend.launchd.reboot();
    let deadline = tokio::time::Instant::now() + LONG;
    while !matches!(backend.state(&first).await, ProcessState::Running { .. }) {
        assert!(
            tokio::time::Instant::now() < deadline,
            "launchd did not restart it"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(backend.state(&second).await, ProcessState::Stopped);
    backend.manager.start_one(&second).await.unwrap();
    backend.pid(&second).await;
}

#[tokio::test]
async fn launchd_restarts_a_killed_node() {
    let backend = TestBackend::new();
    let node = backend.start_node(7).await;
    let pid = backend.pid(&node).await;
    let raw = nix::unistd::Pid::from_raw(pid.cast_signed());
    nix::sys::signal::kill(raw, nix::sys::signal::Signal::SIGKILL).unwrap();
    let deadline = tokio::time::Instant::now() + LONG;
    loop {
        let state = backend.state(&node).await;
        match state {
            ProcessState::Running { pid: Some(now) } if now != pid => break,
            // Between the two there is no process.
            ProcessState::Running { .. } | ProcessState::Stopped => {}
            other => panic!("{other:?}"),
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "launchd did not restart it"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_start_that_launchd_reports_as_successful_is_verified() {
    let backend = TestBackend::new();
    let node = backend.node(7);
    backend
        .manager
        .add_one(&node, &backend.broken_program())
        .await
        .unwrap();
    let error = backend.manager.start_one(&node).await.unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, ManagerError::Rejected { .. }), "{message}");
    assert!(
        message.starts_with("starting com.autonomi.antnode-7: launchd reports "),
        "{message}"
    );
    assert!(
        message.ends_with("last exit code 3; no such key"),
        "{message}"
    );
    // launchd would keep restarting it, also after the next login.
    assert_eq!(backend.state(&node).await, ProcessState::Stopped);
    assert_eq!(backend.times("disable"), 1);
    let before = backend.times("list");
    backend
        .manager
        .statuses(std::slice::from_ref(&node))
        .await
        .unwrap();
    assert_eq!(backend.times("list"), before + 1);

    // A program that cannot run at all.
    std::fs::remove_file(&node.binary).unwrap();
    let error = backend
        .manager
        .start_one(&node)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("78: EX_CONFIG"), "{error}");
    // With its program restored, it starts.
    backend
        .manager
        .add_one(&node, &backend.binary("first"))
        .await
        .unwrap();
    backend.manager.start_one(&node).await.unwrap();
    backend.pid(&node).await;
}

#[tokio::test]
async fn an_upgrade_restarts_only_running_nodes() {
    let backend = TestBackend::new();
    let (stopped, running) = (backend.add_node(1).await, backend.start_node(2).await);
    let before = backend.pid(&running).await;
    let second = backend.binary("second");
    for node in [&stopped, &running] {
        backend.manager.upgrade_one(node, &second).await.unwrap();
        assert!(backend.runs_program(node, "second"));
    }
    assert_eq!(backend.state(&stopped).await, ProcessState::Stopped);
    assert_ne!(backend.pid(&running).await, before);
    assert_eq!(
        (backend.times("kickstart -k"), backend.times("bootout")),
        (1, 0)
    );
    assert!(!rollback::path(&running.binary).exists());
    backend.manager.start_one(&stopped).await.unwrap();
    assert!(!rollback::path(&stopped.binary).exists());
}

#[tokio::test]
async fn rolls_back_a_program_that_does_not_start() {
    let backend = TestBackend::new();
    let node = backend.start_node(7).await;
    let broken = backend.broken_program();
    let error = backend
        .manager
        .upgrade_one(&node, &broken)
        .await
        .unwrap_err();
    let message = error.to_string();
    assert!(
        message.ends_with("the previous program was put back and runs"),
        "{message}"
    );
    assert!(backend.runs_program(&node, "first"));
    backend.pid(&node).await;
}

async fn environment(backend: &TestBackend, node: &wnm_core::node::Node) -> String {
    let pid = backend.pid(node).await;
    std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap()
}

#[tokio::test]
async fn changed_settings_reach_the_job_at_the_next_start_or_upgrade() {
    let backend = TestBackend::new();
    let mut node = backend.start_node(7).await;
    node.environment = Some("NOTE='a b'".to_owned());
    // The file must not change while the job is loaded.
    backend.manager.start_one(&node).await.unwrap();
    assert!(!backend.text(&node).contains("NOTE"));
    let second = backend.binary("second");
    backend.manager.upgrade_one(&node, &second).await.unwrap();
    assert!(environment(&backend, &node).await.contains("NOTE=a b\0"));
    node.environment = Some("NOTE=c".to_owned());
    backend.manager.stop_one(&node).await.unwrap();
    backend.manager.start_one(&node).await.unwrap();
    assert!(environment(&backend, &node).await.contains("NOTE=c\0"));
}

#[tokio::test]
async fn teardown_stops_all_concurrently_and_continues_after_a_failure() {
    let backend = TestBackend::new();
    let mut nodes = Vec::new();
    for number in 1..=3 {
        nodes.push(backend.start_node(number).await);
    }
    nodes.push(backend.add_node(4).await);
    let mut invalid = backend.node(5);
    invalid.service = "no label".to_owned();
    nodes.push(invalid);
    let error = backend.manager.teardown(&nodes).await.unwrap_err();
    assert!(error.to_string().contains("'no label'"), "{error}");
    let left = std::fs::read_dir(backend.dir.path().join("jobs")).unwrap();
    assert_eq!(left.count(), 0);
    for node in &nodes[..4] {
        assert!(!node.root_dir.exists());
    }
    backend.manager.teardown(&nodes[..4]).await.unwrap();
}

#[tokio::test]
async fn system_jobs_run_as_their_account() {
    if !nix::unistd::geteuid().is_root() {
        return wnm_tests::real::skip("driving a system launchd needs root");
    }
    let behaviour = Behaviour {
        listed: Some("system".to_owned()),
        ..Behaviour::default()
    };
    let backend = TestBackend::with(crate::SUDO, behaviour);
    // The account needs access to its program in this directory.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(backend.dir.path(), open).unwrap();
    let node = backend.start_node(7).await;
    let pid = backend.pid(&node).await;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let account = wnm_host::Account::named("nobody").unwrap();
    assert!(
        status.contains(&format!("Uid:\t{}\t", account.uid)),
        "{status}"
    );
    assert_eq!(backend.times("bootstrap system"), 1);
    backend.manager.stop_one(&node).await.unwrap();
    assert_eq!(backend.state(&node).await, ProcessState::Stopped);
    backend.manager.remove_one(&node).await.unwrap();
    assert_eq!(backend.state(&node).await, ProcessState::Missing);
}
