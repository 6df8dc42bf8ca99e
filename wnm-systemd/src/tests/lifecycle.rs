//! What a node goes through, and what is left when a step of it fails.

use insta::assert_snapshot;
use wnm_core::manager::{ManagerError, ProcessManager};
use wnm_core::node::ProcessState;

use super::ground::Ground;

const RUNNING: ProcessState = ProcessState::Running { pid: None };

#[tokio::test]
async fn a_node_comes_and_goes_and_every_step_may_be_taken_twice() {
    let ground = Ground::new();
    let manager = &ground.manager;
    let node = ground.added(7).await;
    let again = manager.add(&node, &ground.binary("first")).await.unwrap();
    assert_eq!(again.service, "antnode0007.service");
    assert_eq!(ground.state(&node).await, ProcessState::Stopped);
    for _ in 0..2 {
        manager.start(&node).await.unwrap();
        assert_eq!(ground.state(&node).await, RUNNING);
        assert!(ground.systemd.is_enabled(&node.service));
    }
    assert_eq!(ground.systemd.times("start"), 1);
    for _ in 0..2 {
        manager.stop(&node).await.unwrap();
        assert_eq!(ground.state(&node).await, ProcessState::Stopped);
        assert!(
            !ground.systemd.is_enabled(&node.service),
            "it would come back with the machine"
        );
    }
    ground.write_unit("antnode0007.service.d/own.conf", "[Service]\nNice=5\n");
    manager.start(&node).await.unwrap();
    for _ in 0..2 {
        manager.remove(&node).await.unwrap();
        assert_eq!(ground.state(&node).await, ProcessState::Missing);
    }
    assert!(!node.root_dir.exists() && !node.log_dir.unwrap().exists());
    let left = std::fs::read_dir(ground.units()).unwrap();
    assert_eq!(
        left.count(),
        0,
        "the slice, the unit or its drop-ins are left"
    );
}

#[tokio::test]
async fn a_start_that_systemd_calls_a_success_is_judged_by_the_state() {
    let ground = Ground::with(|systemd| systemd.breaks = Some("broken"));
    let node = ground.node(7);
    ground
        .manager
        .add(&node, &ground.binary("broken"))
        .await
        .unwrap();
    let error = ground.manager.start(&node).await.unwrap_err();
    assert_snapshot!(error, @"starting antnode0007.service: systemd says failed (failed), result exit-code, exit status 203; Failed at step EXEC | spawning");
    assert!(
        !ground.systemd.is_enabled(&node.service),
        "systemd would go on trying"
    );
    assert_eq!(ground.state(&node).await, ProcessState::Stopped);
}

#[tokio::test]
async fn an_upgrade_restarts_only_what_ran() {
    let ground = Ground::new();
    let (still, runs) = (ground.added(1).await, ground.added(2).await);
    ground.manager.start(&runs).await.unwrap();
    let second = ground.binary("second");
    for node in [&still, &runs] {
        ground.manager.upgrade(node, &second).await.unwrap();
        assert_eq!(std::fs::read_to_string(&node.binary).unwrap(), "second");
    }
    assert_eq!(ground.state(&still).await, ProcessState::Stopped);
    assert_eq!(ground.systemd.times("restart"), 1);
    assert!(!wnm_host::rollback::path(&runs.binary).exists());
    ground.manager.start(&still).await.unwrap();
    assert!(!wnm_host::rollback::path(&still.binary).exists());
}

#[tokio::test]
async fn a_program_that_does_not_start_is_taken_back() {
    let ground = Ground::with(|systemd| systemd.breaks = Some("broken"));
    let node = ground.added(7).await;
    ground.manager.start(&node).await.unwrap();
    let error = ground
        .manager
        .upgrade(&node, &ground.binary("broken"))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the previous program was put back and runs"),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(&node.binary).unwrap(), "first");
    assert_eq!(ground.state(&node).await, RUNNING);
    assert!(ground.systemd.is_enabled(&node.service));
}

#[tokio::test]
async fn a_unit_of_another_is_neither_written_over_nor_changed() {
    let ground = Ground::new();
    let foreign = "[Service]\nExecStart=/n/antnode --root-dir /n --port 1\n";
    ground.write_unit("antnode0007.service", foreign);
    let node = ground.node(7);
    let error = ground
        .manager
        .add(&node, &ground.binary("first"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("not written by wnm"), "{error}");
    assert!(!node.root_dir.exists());
    std::fs::create_dir_all(&node.root_dir).unwrap();
    ground.manager.start(&node).await.unwrap_err();
    assert_eq!(ground.unit(7), foreign);
}

#[tokio::test]
async fn settings_that_changed_reach_the_unit_at_the_next_start() {
    let ground = Ground::new();
    let mut node = ground.added(7).await;
    let reloads = ground.systemd.times("reload");
    node.environment = Some("NOTE='a b'".to_owned());
    ground.manager.start(&node).await.unwrap();
    assert!(ground.unit(7).contains("Environment=\"NOTE=a b\"\n"));
    assert_eq!(ground.systemd.times("reload"), reloads + 1);
    ground.manager.stop(&node).await.unwrap();
    ground.manager.start(&node).await.unwrap();
    assert_eq!(ground.systemd.times("reload"), reloads + 1);
}

#[tokio::test]
async fn silence_is_no_state_and_changes_nothing() {
    let ground = Ground::with(|systemd| systemd.mute = true);
    let node = ground.node(7);
    let error = ground
        .manager
        .statuses(std::slice::from_ref(&node))
        .await
        .unwrap_err();
    assert!(matches!(error, ManagerError::Unreachable { .. }), "{error}");
    std::fs::create_dir_all(&node.root_dir).unwrap();
    let removed = ground.manager.remove(&node).await.unwrap_err();
    assert!(removed.leaves_it_open(), "{removed}");
    let all = ground
        .manager
        .teardown(std::slice::from_ref(&node))
        .await
        .unwrap_err();
    assert!(all.leaves_it_open(), "{all}");
    assert!(node.root_dir.exists());
}

#[tokio::test]
async fn directories_that_wnm_did_not_make_are_kept() {
    let ground = Ground::new();
    let mut node = ground.added(7).await;
    let precious = ground.dir.path().join("precious");
    std::fs::create_dir(&precious).unwrap();
    node.root_dir = precious.clone();
    let error = ground.manager.remove(&node).await.unwrap_err().to_string();
    assert!(
        error.contains("precious") && error.contains("delete by hand"),
        "{error}"
    );
    assert!(precious.exists());
    assert_eq!(ground.state(&node).await, ProcessState::Missing);
}

#[tokio::test]
async fn a_name_that_is_no_unit_is_refused_before_anything_is_done() {
    let ground = Ground::new();
    let mut node = ground.added(7).await;
    let asked = ground.systemd.asked().len();
    for name in [
        "../x.service",
        "antnode0099",
        "-x.service",
        "a b.service",
        "",
        "*.service",
    ] {
        node.service = name.to_owned();
        ground.manager.remove(&node).await.unwrap_err();
        ground.manager.start(&node).await.unwrap_err();
        ground.manager.stop(&node).await.unwrap_err();
        assert!(
            matches!(ground.state(&node).await, ProcessState::Unknown(_)),
            "{name}"
        );
    }
    assert!(node.root_dir.exists());
    assert!(
        ground.systemd.asked()[asked..]
            .iter()
            .all(|asked| asked.starts_with("units") || asked.starts_with("loaded"))
    );
}
