//! What launchd refuses, and what wnm does.

use wnm_core::manager::{ManagerError, ProcessManager};
use wnm_core::node::ProcessState;

use super::ground::Ground;

#[tokio::test]
async fn a_label_that_is_busy_is_waited_for() {
    let mut ground = Ground::new();
    let node = ground.added(7).await;
    ground.launchd.behave(|launchd| {
        launchd.fail("bootstrap", 5, "Bootstrap failed: 5: Input/output error", 3);
        launchd.fail(
            "bootstrap",
            37,
            "Bootstrap failed: 37: Operation already in progress",
            1,
        );
    });
    ground.manager.start(&node).await.unwrap();
    assert_eq!(ground.times("bootstrap"), 5);
    ground.launchd.behave(|launchd| {
        launchd.fail(
            "kickstart",
            37,
            "Could not kickstart service: 37: in progress",
            2,
        );
    });
    ground
        .manager
        .upgrade(&node, &ground.binary("second"))
        .await
        .unwrap();
    assert_eq!(ground.times("kickstart"), 3);
    ground.launchd.behave(|launchd| {
        launchd.fail(
            "bootout",
            36,
            "Boot-out failed: 36: Operation now in progress",
            1,
        );
    });
    // It is, since someone else asked for it.
    let (launchctl, [(name, value)]) = ground.launchd.launchctl();
    let target = ground
        .manager
        .usual_domain()
        .target(&crate::Label::of(&node).unwrap());
    let asked = || {
        let mut command = std::process::Command::new(&launchctl);
        command
            .args(["bootout", &target])
            .env(name, &value)
            .output()
            .unwrap()
    };
    asked();
    asked();
    ground.manager.stop(&node).await.unwrap();
    assert_eq!(ground.state(&node).await, ProcessState::Stopped);
}

#[tokio::test]
async fn a_job_that_is_not_taken_is_told_in_the_words_of_launchd() {
    let mut ground = Ground::new();
    let node = ground.added(7).await;
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
        ground.launchd.behave(|launchd| {
            launchd.obeys();
            launchd.fail("bootstrap", code, words, 999);
        });
        ground.launchd.reboot();
        let error = ground.manager.start(&node).await.unwrap_err().to_string();
        assert!(error.contains(words) && error.contains(advice), "{error}");
        assert_eq!(ground.state(&node).await, ProcessState::Stopped);
    }
}

#[tokio::test]
async fn a_job_that_does_not_end_is_no_stopped_one() {
    let mut ground = Ground::new();
    let node = ground.running(7).await;
    ground.launchd.behave(|launchd| {
        launchd.fail("bootout", 5, "Boot-out failed: 5: Input/output error", 1);
    });
    let error = ground.manager.remove(&node).await.unwrap_err();
    assert!(error.to_string().contains("Boot-out failed: 5"), "{error}");
    assert!(node.root_dir.exists());
    ground.pid(&node).await;
    ground.manager.remove(&node).await.unwrap();
}

#[tokio::test]
async fn a_job_of_another_is_neither_written_over_nor_changed() {
    let ground = Ground::new();
    let foreign =
        "<plist><dict><key>Label</key><string>com.autonomi.antnode-7</string></dict></plist>";
    ground.write_job("com.autonomi.antnode-7", foreign);
    let node = ground.node(7);
    let error = ground
        .manager
        .add(&node, &ground.binary("first"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("not written by wnm"), "{error}");
    assert!(!node.root_dir.exists());
    assert_eq!(ground.text(&node), foreign);
    // Nor one that quotes what wnm writes.
    let quotes = format!("<plist>{}</plist>", crate::job_file::MARK);
    ground.write_job("com.autonomi.antnode-7", &quotes);
    ground
        .manager
        .add(&node, &ground.binary("first"))
        .await
        .unwrap_err();
    std::fs::remove_file(ground.job_file("com.autonomi.antnode-7")).unwrap();
    std::os::unix::fs::symlink("/nowhere", ground.job_file("com.autonomi.antnode-7")).unwrap();
    ground
        .manager
        .add(&node, &ground.binary("first"))
        .await
        .unwrap_err();
}

#[tokio::test]
async fn a_name_that_is_no_label_is_refused_before_anything_is_done() {
    let ground = Ground::new();
    let mut node = ground.running(7).await;
    let pid = ground.pid(&node).await;
    for name in ["../x", "-x", "a b", "", "gui/0/x"] {
        node.service = name.to_owned();
        ground.manager.remove(&node).await.unwrap_err();
        ground.manager.start(&node).await.unwrap_err();
        ground.manager.stop(&node).await.unwrap_err();
        ground
            .manager
            .upgrade(&node, &ground.binary("second"))
            .await
            .unwrap_err();
        assert!(
            matches!(ground.state(&node).await, ProcessState::Unknown(_)),
            "{name}"
        );
    }
    node.service = "com.autonomi.antnode-7".to_owned();
    assert_eq!(ground.pid(&node).await, pid);
}

#[tokio::test]
async fn a_path_that_cannot_be_written_leaves_nothing_behind() {
    let ground = Ground::new();
    let mut node = ground.node(7);
    node.environment = Some("NOTE='\u{1b}'".to_owned());
    let error = ground
        .manager
        .add(&node, &ground.binary("first"))
        .await
        .unwrap_err();
    assert!(matches!(error, ManagerError::Rejected { .. }), "{error}");
    assert!(!node.root_dir.exists() && !ground.job_file(&node.service).exists());
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
