//! Checks the life of a node, and what remains when a step fails.

use insta::assert_snapshot;
use wnm_core::manager::{ManagerError, ProcessManager};
use wnm_core::node::ProcessState;
use wnm_testkit::SingleNode;

use super::backend::TestBackend;

const RUNNING: ProcessState = ProcessState::Running { pid: None };

#[tokio::test]
async fn every_lifecycle_step_is_idempotent() {
    let backend = TestBackend::new();
    let manager = &backend.manager;
    let node = backend.add_node(7).await;
    let again = manager
        .add_one(&node, &backend.binary("first"))
        .await
        .unwrap();
    assert_eq!(again.service, "antnode0007.service");
    assert_eq!(backend.state(&node).await, ProcessState::Stopped);
    for _ in 0..2 {
        manager.start_one(&node).await.unwrap();
        assert_eq!(backend.state(&node).await, RUNNING);
        assert!(backend.systemd.is_enabled(&node.service));
    }
    assert_eq!(backend.systemd.times("start"), 1);
    for _ in 0..2 {
        manager.stop_one(&node).await.unwrap();
        assert_eq!(backend.state(&node).await, ProcessState::Stopped);
        assert!(
            !backend.systemd.is_enabled(&node.service),
            "it would start at boot"
        );
    }
    backend.write_unit("antnode0007.service.d/own.conf", "[Service]\nNice=5\n");
    manager.start_one(&node).await.unwrap();
    for _ in 0..2 {
        manager.remove_one(&node).await.unwrap();
        assert_eq!(backend.state(&node).await, ProcessState::Missing);
    }
    assert!(!node.root_dir.exists() && !node.log_dir.unwrap().exists());
    let left = std::fs::read_dir(backend.units()).unwrap();
    assert_eq!(
        left.count(),
        0,
        "the slice, the unit or its drop-ins remain"
    );
}

#[tokio::test]
async fn a_start_that_systemd_reports_as_successful_is_verified() {
    let backend = TestBackend::with(|systemd| systemd.broken_program = Some("broken"));
    let node = backend.node(7);
    backend
        .manager
        .add_one(&node, &backend.binary("broken"))
        .await
        .unwrap();
    let error = backend.manager.start_one(&node).await.unwrap_err();
    assert_snapshot!(error, @"starting antnode0007.service: systemd reports failed (failed), result exit-code, exit status 203; Failed at step EXEC | spawning");
    assert!(
        !backend.systemd.is_enabled(&node.service),
        "systemd would keep restarting it"
    );
    assert_eq!(backend.state(&node).await, ProcessState::Stopped);
}

#[tokio::test]
async fn an_upgrade_restarts_only_running_nodes() {
    let backend = TestBackend::new();
    let (stopped, running) = (backend.add_node(1).await, backend.add_node(2).await);
    backend.manager.start_one(&running).await.unwrap();
    let second = backend.binary("second");
    for node in [&stopped, &running] {
        backend.manager.upgrade_one(node, &second).await.unwrap();
        assert_eq!(std::fs::read_to_string(&node.binary).unwrap(), "second");
    }
    assert_eq!(backend.state(&stopped).await, ProcessState::Stopped);
    assert_eq!(backend.systemd.times("restart"), 1);
    assert!(!wnm_host::rollback::path(&running.binary).exists());
    backend.manager.start_one(&stopped).await.unwrap();
    assert!(!wnm_host::rollback::path(&stopped.binary).exists());
}

#[tokio::test]
async fn rolls_back_a_program_that_does_not_start() {
    let backend = TestBackend::with(|systemd| systemd.broken_program = Some("broken"));
    let node = backend.add_node(7).await;
    backend.manager.start_one(&node).await.unwrap();
    let error = backend
        .manager
        .upgrade_one(&node, &backend.binary("broken"))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the previous program was put back and runs"),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(&node.binary).unwrap(), "first");
    assert_eq!(backend.state(&node).await, RUNNING);
    assert!(backend.systemd.is_enabled(&node.service));
}

#[tokio::test]
async fn foreign_units_are_not_overwritten() {
    let backend = TestBackend::new();
    let foreign = "[Service]\nExecStart=/n/antnode --root-dir /n --port 1\n";
    backend.write_unit("antnode0007.service", foreign);
    let node = backend.node(7);
    let error = backend
        .manager
        .add_one(&node, &backend.binary("first"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("not written by wnm"), "{error}");
    assert!(!node.root_dir.exists());
    std::fs::create_dir_all(&node.root_dir).unwrap();
    backend.manager.start_one(&node).await.unwrap_err();
    assert_eq!(backend.unit(7), foreign);
}

#[tokio::test]
async fn changed_settings_reach_the_unit_at_the_next_start() {
    let backend = TestBackend::new();
    let mut node = backend.add_node(7).await;
    let reloads = backend.systemd.times("reload");
    node.environment = Some("NOTE='a b'".to_owned());
    backend.manager.start_one(&node).await.unwrap();
    assert!(backend.unit(7).contains("Environment=\"NOTE=a b\"\n"));
    assert_eq!(backend.systemd.times("reload"), reloads + 1);
    backend.manager.stop_one(&node).await.unwrap();
    backend.manager.start_one(&node).await.unwrap();
    assert_eq!(backend.systemd.times("reload"), reloads + 1);
}

#[tokio::test]
async fn an_unresponsive_systemd_yields_no_state_and_no_change() {
    let backend = TestBackend::with(|systemd| systemd.unresponsive = true.into());
    let node = backend.node(7);
    let error = backend
        .manager
        .statuses(std::slice::from_ref(&node))
        .await
        .unwrap_err();
    assert!(matches!(error, ManagerError::Unreachable { .. }), "{error}");
    std::fs::create_dir_all(&node.root_dir).unwrap();
    let removed = backend.manager.remove_one(&node).await.unwrap_err();
    assert!(removed.leaves_it_open(), "{removed}");
    let all = backend
        .manager
        .teardown(std::slice::from_ref(&node))
        .await
        .unwrap_err();
    assert!(all.leaves_it_open(), "{all}");
    assert!(node.root_dir.exists());
}

#[tokio::test]
async fn directories_that_wnm_did_not_create_are_kept() {
    let backend = TestBackend::new();
    let mut node = backend.add_node(7).await;
    let precious = backend.dir.path().join("precious");
    std::fs::create_dir(&precious).unwrap();
    node.root_dir = precious.clone();
    let error = backend
        .manager
        .remove_one(&node)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("precious") && error.contains("delete by hand"),
        "{error}"
    );
    assert!(precious.exists());
    assert_eq!(backend.state(&node).await, ProcessState::Missing);
}

#[tokio::test]
async fn rejects_invalid_unit_names_before_any_change() {
    let backend = TestBackend::new();
    let mut node = backend.add_node(7).await;
    let requests = backend.systemd.requests().len();
    for name in [
        "../x.service",
        "antnode0099",
        "-x.service",
        "a b.service",
        "",
        "*.service",
    ] {
        node.service = name.to_owned();
        backend.manager.remove_one(&node).await.unwrap_err();
        backend.manager.start_one(&node).await.unwrap_err();
        backend.manager.stop_one(&node).await.unwrap_err();
        assert!(
            matches!(backend.state(&node).await, ProcessState::Unknown(_)),
            "{name}"
        );
    }
    assert!(node.root_dir.exists());
    assert!(
        backend.systemd.requests()[requests..]
            .iter()
            .all(|request| request.starts_with("units") || request.starts_with("loaded"))
    );
}
