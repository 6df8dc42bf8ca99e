//! Checks how wnm handles the refusals of launchd.

use wnm_core::manager::ManagerError;
use wnm_core::node::ProcessState;
use wnm_testkit::SingleNode;

use super::backend::TestBackend;

#[tokio::test]
async fn waits_for_a_busy_label() {
    let mut backend = TestBackend::new();
    let node = backend.add_node(7).await;
    backend.launchd.behave(|launchd| {
        launchd.fail("bootstrap", 5, "Bootstrap failed: 5: Input/output error", 3);
        launchd.fail(
            "bootstrap",
            37,
            "Bootstrap failed: 37: Operation already in progress",
            1,
        );
    });
    backend.manager.start_one(&node).await.unwrap();
    assert_eq!(backend.times("bootstrap"), 5);
    backend.launchd.behave(|launchd| {
        launchd.fail(
            "kickstart",
            37,
            "Could not kickstart service: 37: in progress",
            2,
        );
    });
    backend
        .manager
        .upgrade_one(&node, &backend.binary("second"))
        .await
        .unwrap();
    assert_eq!(backend.times("kickstart"), 3);
    backend.launchd.behave(|launchd| {
        launchd.fail(
            "bootout",
            36,
            "Boot-out failed: 36: Operation now in progress",
            1,
        );
    });
    // The unload is in progress because someone else asked for it.
    let (launchctl, [(name, value)]) = backend.launchd.launchctl();
    let target = backend
        .manager
        .default_domain()
        .target(&crate::Label::for_node(&node).unwrap());
    let bootout = || {
        let mut command = std::process::Command::new(&launchctl);
        command
            .args(["bootout", &target])
            .env(name, &value)
            .output()
            .unwrap()
    };
    bootout();
    bootout();
    backend.manager.stop_one(&node).await.unwrap();
    assert_eq!(backend.state(&node).await, ProcessState::Stopped);
}

#[tokio::test]
async fn a_refused_job_is_reported_with_launchds_message() {
    let mut backend = TestBackend::new();
    let node = backend.add_node(7).await;
    let cases = [
        (
            119,
            "Bootstrap failed: 119: Service is disabled",
            "print-disabled",
        ),
        (
            1,
            "Bootstrap failed: 1: Operation not permitted",
            "not permitted",
        ),
        (
            122,
            "Bootstrap failed: 122: Path had bad ownership/permissions",
            "not permitted",
        ),
        (5, "Bootstrap failed: 5: Input/output error", "plutil -lint"),
    ];
    for (code, words, advice) in cases {
        backend.launchd.behave(|launchd| {
            launchd.act_normally();
            launchd.fail("bootstrap", code, words, 999);
        });
        backend.launchd.reboot();
        let error = backend
            .manager
            .start_one(&node)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(words) && error.contains(advice), "{error}");
        assert_eq!(backend.state(&node).await, ProcessState::Stopped);
    }
}

#[tokio::test]
async fn a_job_that_does_not_unload_is_not_stopped() {
    let mut backend = TestBackend::new();
    let node = backend.start_node(7).await;
    backend.launchd.behave(|launchd| {
        launchd.fail("bootout", 5, "Boot-out failed: 5: Input/output error", 1);
    });
    let error = backend.manager.remove_one(&node).await.unwrap_err();
    assert!(error.to_string().contains("Boot-out failed: 5"), "{error}");
    assert!(node.root_dir.exists());
    backend.pid(&node).await;
    backend.manager.remove_one(&node).await.unwrap();
}

#[tokio::test]
async fn foreign_jobs_are_not_overwritten() {
    let backend = TestBackend::new();
    let foreign =
        "<plist><dict><key>Label</key><string>com.autonomi.antnode-7</string></dict></plist>";
    backend.write_job("com.autonomi.antnode-7", foreign);
    let node = backend.node(7);
    let error = backend
        .manager
        .add_one(&node, &backend.binary("first"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("not written by wnm"), "{error}");
    assert!(!node.root_dir.exists());
    assert_eq!(backend.text(&node), foreign);
    // A file that quotes the mark is also foreign.
    let quotes = format!("<plist>{}</plist>", crate::job_file::MARK);
    backend.write_job("com.autonomi.antnode-7", &quotes);
    backend
        .manager
        .add_one(&node, &backend.binary("first"))
        .await
        .unwrap_err();
    std::fs::remove_file(backend.job_file("com.autonomi.antnode-7")).unwrap();
    std::os::unix::fs::symlink("/nowhere", backend.job_file("com.autonomi.antnode-7")).unwrap();
    backend
        .manager
        .add_one(&node, &backend.binary("first"))
        .await
        .unwrap_err();
}

#[tokio::test]
async fn rejects_invalid_labels_before_any_change() {
    let backend = TestBackend::new();
    let mut node = backend.start_node(7).await;
    let pid = backend.pid(&node).await;
    for name in ["../x", "-x", "a b", "", "gui/0/x"] {
        node.service = name.to_owned();
        backend.manager.remove_one(&node).await.unwrap_err();
        backend.manager.start_one(&node).await.unwrap_err();
        backend.manager.stop_one(&node).await.unwrap_err();
        backend
            .manager
            .upgrade_one(&node, &backend.binary("second"))
            .await
            .unwrap_err();
        assert!(
            matches!(backend.state(&node).await, ProcessState::Unknown(_)),
            "{name}"
        );
    }
    node.service = "com.autonomi.antnode-7".to_owned();
    assert_eq!(backend.pid(&node).await, pid);
}

#[tokio::test]
async fn a_value_that_cannot_be_rendered_leaves_nothing_behind() {
    let backend = TestBackend::new();
    let mut node = backend.node(7);
    node.environment = Some("NOTE='\u{1b}'".to_owned());
    let error = backend
        .manager
        .add_one(&node, &backend.binary("first"))
        .await
        .unwrap_err();
    assert!(matches!(error, ManagerError::Rejected { .. }), "{error}");
    assert!(!node.root_dir.exists() && !backend.job_file(&node.service).exists());
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
