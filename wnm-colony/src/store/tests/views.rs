//! Views leave no trace.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sea_orm::ConnectionTrait;

use super::samples::{
    PYTHON_VERSIONS, SHORT_WAIT, files, machine, node, other_program, python_database,
};
use crate::store::{Access, Changes, Store, StoreError, open};

async fn colony(directory: &Path) -> PathBuf {
    let path = directory.join("colony.db");
    let store = Store::create(&path).await.unwrap();
    let changes = Changes {
        machine: Some(machine()),
        nodes: vec![node(1)],
        ..Changes::default()
    };
    store.record(&changes).await.unwrap();
    store.close().await.unwrap();
    path
}

/// The name and content of every file in a directory.
fn everything(directory: &Path) -> Vec<(String, Vec<u8>)> {
    files(directory)
        .into_iter()
        .map(|name| {
            let content = std::fs::read(directory.join(&name)).unwrap();
            (name, content)
        })
        .collect()
}

async fn count_nodes(path: &Path) -> usize {
    let store = Store::open(path, Access::View).await.unwrap();
    store.machine().await.unwrap().unwrap();
    let count = store.nodes().await.unwrap().len();
    store.close().await.unwrap();
    count
}

#[tokio::test]
async fn a_view_changes_no_byte() {
    for version in PYTHON_VERSIONS {
        let directory = tempfile::tempdir().unwrap();
        let path = python_database(directory.path(), version).await;
        let before = everything(directory.path());
        assert_eq!(count_nodes(&path).await, 3);
        assert_eq!(everything(directory.path()), before, "{version}");
    }
    let directory = tempfile::tempdir().unwrap();
    let path = colony(directory.path()).await;
    let before = everything(directory.path());
    assert_eq!(before.len(), 1);
    assert_eq!(count_nodes(&path).await, 1);
    assert_eq!(everything(directory.path()), before);
}

#[tokio::test]
async fn a_view_refuses_to_record() {
    let directory = tempfile::tempdir().unwrap();
    for python in [false, true] {
        let path = match python {
            false => colony(directory.path()).await,
            true => {
                std::fs::remove_file(directory.path().join("colony.db")).unwrap();
                python_database(directory.path(), "0.6.3").await
            }
        };
        let store = Store::open(&path, Access::View).await.unwrap();
        for refused in [
            store.record(&Changes::default()).await,
            store.clear_nodes().await,
        ] {
            assert!(
                matches!(refused, Err(StoreError::ViewOnly(_))),
                "{refused:?}"
            );
        }
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_view_reads_a_write_protected_file() {
    let directory = tempfile::tempdir().unwrap();
    for version in ["0.3.0", "ours"] {
        let path = match version {
            "ours" => colony(directory.path()).await,
            _ => python_database(directory.path(), version).await,
        };
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
        let before = everything(directory.path());
        assert!(count_nodes(&path).await > 0);
        assert_eq!(everything(directory.path()), before, "{version}");
        std::fs::remove_file(&path).unwrap();
    }
}

/// As with the colony of another user. The directory becomes read-only once while a writer has it
/// open, and once after the writer has closed it.
#[tokio::test]
async fn a_view_works_in_a_directory_that_this_user_cannot_write() {
    if nix::unistd::geteuid().is_root() {
        eprintln!("skipped: root may write everywhere");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = colony(directory.path()).await;
    let writer = Store::open(&path, Access::ReadWrite).await.unwrap();
    let changes = Changes {
        nodes: vec![node(2)],
        ..Changes::default()
    };
    writer.record(&changes).await.unwrap();
    let set_mode = |mode| {
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set_mode(0o555);
    assert_eq!(count_nodes(&path).await, 2);
    set_mode(0o755);
    writer.close().await.unwrap();
    set_mode(0o555);
    assert_eq!(count_nodes(&path).await, 2);
    let refused = Store::open(&path, Access::ReadWrite).await;
    let unmade = Store::create(&directory.path().join("new.db")).await;
    set_mode(0o755);
    assert!(
        matches!(refused, Err(StoreError::ReadOnly(_))),
        "{refused:?}"
    );
    assert!(matches!(unmade, Err(StoreError::ReadOnly(_))), "{unmade:?}");
    assert_eq!(files(directory.path()), ["colony.db"]);
}

#[tokio::test]
async fn a_view_sees_committed_changes_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = colony(directory.path()).await;
    let writer = Store::open(&path, Access::ReadWrite).await.unwrap();
    let changes = Changes {
        nodes: vec![node(2)],
        ..Changes::default()
    };
    writer.record(&changes).await.unwrap();
    let transaction = super::super::connection::begin_write(&writer.db)
        .await
        .unwrap();
    transaction
        .execute_unprepared("DELETE FROM node")
        .await
        .unwrap();
    assert_eq!(count_nodes(&path).await, 2);
    transaction.rollback().await.unwrap();
    writer.close().await.unwrap();
    assert_eq!(files(directory.path()), ["colony.db"]);
}

#[tokio::test]
async fn a_view_reads_a_leftover_log_and_leaves_it_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = colony(directory.path()).await;
    let writer = Store::open(&path, Access::ReadWrite).await.unwrap();
    let changes = Changes {
        nodes: vec![node(2)],
        ..Changes::default()
    };
    writer.record(&changes).await.unwrap();
    // These are the files that a power cut would leave now.
    let crashed = tempfile::tempdir().unwrap();
    for name in ["colony.db", "colony.db-wal"] {
        std::fs::copy(directory.path().join(name), crashed.path().join(name)).unwrap();
    }
    writer.close().await.unwrap();
    let parts = |directory: &Path| -> Vec<Vec<u8>> {
        ["colony.db", "colony.db-wal"]
            .iter()
            .map(|name| std::fs::read(directory.join(name)).unwrap())
            .collect()
    };
    let before = parts(crashed.path());
    assert_eq!(count_nodes(&crashed.path().join("colony.db")).await, 2);
    assert_eq!(parts(crashed.path()), before);
}

#[tokio::test]
async fn opening_waits_for_a_locked_database_and_then_fails() {
    let directory = tempfile::tempdir().unwrap();
    let path = python_database(directory.path(), "0.6.3").await;
    let other = other_program(&path).await;
    other.execute_unprepared("BEGIN EXCLUSIVE").await.unwrap();
    let view = open::for_viewing(&path, SHORT_WAIT).await;
    assert!(matches!(view, Err(StoreError::Locked { .. })), "{view:?}");
    let write = open::for_writing(&path, SHORT_WAIT, wnm_core::quantity::UnixTime(1)).await;
    assert!(matches!(write, Err(StoreError::Locked { .. })), "{write:?}");
    other.execute_unprepared("ROLLBACK").await.unwrap();
    other.close().await.unwrap();
    assert_eq!(files(directory.path()), ["colony.db"]);
}
