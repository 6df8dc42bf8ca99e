//! Files that are not our colony, and places where no database can be created.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use insta::assert_snapshot;

use super::samples::{files, machine, other_program, python_database, sql};
use crate::store::{Access, Changes, Store, StoreError, open};
use wnm_core::quantity::Seconds;

/// The error of both kinds of access, which must be equal, without the directory of the test.
async fn refused(path: &Path) -> String {
    let write = Store::open(path, Access::ReadWrite).await.unwrap_err();
    let view = Store::open(path, Access::View).await.unwrap_err();
    assert_eq!(write.to_string(), view.to_string());
    short(&write, path)
}

fn short(error: &StoreError, path: &Path) -> String {
    let directory = path.parent().unwrap().display().to_string();
    error.to_string().replace(&directory, "DIR")
}

#[tokio::test]
async fn opening_a_missing_file_creates_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("colony.db");
    assert_snapshot!(refused(&path).await, @"DIR/colony.db does not exist");
    assert_eq!(files(directory.path()), [""; 0]);
}

#[tokio::test]
async fn other_files_are_refused_and_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes");
    for content in ["garbage", &"SQLite format 3, or so".repeat(100)] {
        std::fs::write(&path, content).unwrap();
        assert_eq!(refused(&path).await, "DIR/notes is not an SQLite database");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    }
    let mut torn = b"SQLite format 3\0".to_vec();
    torn.extend([1; 5000]);
    std::fs::write(&path, &torn).unwrap();
    refused(&path).await;
    assert_eq!(std::fs::read(&path).unwrap(), torn);
    std::fs::create_dir(directory.path().join("folder")).unwrap();
    assert_snapshot!(refused(&directory.path().join("folder")).await, @"DIR/folder is not an SQLite database");
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("places.sqlite");
    sql(
        &path,
        "CREATE TABLE node (id INTEGER); INSERT INTO node VALUES (1)",
    )
    .await;
    let before = std::fs::read(&path).unwrap();
    assert_snapshot!(refused(&path).await, @"DIR/places.sqlite is a database of another program, not of wnm");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(files(directory.path()), ["places.sqlite"]);
}

#[tokio::test]
async fn a_newer_database_is_refused_and_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("colony.db");
    Store::create(&path).await.unwrap().close().await.unwrap();
    sql(&path, "INSERT INTO wnm_migration VALUES ('0099_later', 1)").await;
    let before = std::fs::read(&path).unwrap();
    assert_snapshot!(refused(&path).await, @"DIR/colony.db was written by a newer wnm (it has '0099_later'); install that version");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(files(directory.path()), ["colony.db"]);
}

#[tokio::test]
async fn a_write_protected_file_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = python_database(directory.path(), "0.6.3").await;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    let error = Store::open(&path, Access::ReadWrite).await.unwrap_err();
    assert_snapshot!(short(&error, &path), @"DIR/colony.db is read-only; make it and its directory writable, or run as their owner");
    assert_eq!(files(directory.path()), ["colony.db"]);
}

#[tokio::test]
async fn nothing_is_created_over_content_or_in_a_missing_directory() {
    let directory = tempfile::tempdir().unwrap();
    let path = python_database(directory.path(), "0.6.3").await;
    let error = Store::create(&path).await.unwrap_err();
    assert_snapshot!(short(&error, &path), @"DIR/colony.db already holds something");
    let nowhere = directory.path().join("missing/colony.db");
    let error = Store::create(&nowhere).await.unwrap_err();
    assert_snapshot!(short(&error, &nowhere), @"cannot keep a database in DIR: No such file or directory (os error 2)");
}

#[tokio::test]
async fn an_empty_file_becomes_a_database() {
    let directory = tempfile::tempdir().unwrap();
    for (name, access) in [
        ("a", None),
        ("b", Some(Access::ReadWrite)),
        ("c", Some(Access::View)),
    ] {
        let path = directory.path().join(name);
        std::fs::write(&path, "").unwrap();
        let store = match access {
            None => Store::create(&path).await.unwrap(),
            Some(access) => Store::open(&path, access).await.unwrap(),
        };
        assert_eq!(store.machine().await.unwrap(), None);
        store.close().await.unwrap();
    }
    assert_eq!(files(directory.path()), ["a", "b", "c"]);
    assert_eq!(std::fs::read(directory.path().join("c")).unwrap(), b"");
}

#[tokio::test]
async fn a_lasting_lock_is_an_error() {
    use sea_orm::ConnectionTrait;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("colony.db");
    Store::create(&path).await.unwrap().close().await.unwrap();
    let store = open::for_writing(&path, Seconds(0), wnm_core::quantity::UnixTime(1))
        .await
        .unwrap();
    let other = other_program(&path).await;
    other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    let changes = Changes {
        machine: Some(machine()),
        ..Changes::default()
    };
    let error = store.record(&changes).await.unwrap_err();
    assert_snapshot!(short(&error, &path), @"DIR/colony.db is in use by another program and stayed locked for 0 s; try again");
    other.execute_unprepared("ROLLBACK").await.unwrap();
    store.record(&changes).await.unwrap();
    other.close().await.unwrap();
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_stores_nothing() {
    use sea_orm::ConnectionTrait;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("colony.db");
    let store = Store::create(&path).await.unwrap();
    // SQLite reports a page limit like a full disk.
    store
        .db
        .execute_unprepared("PRAGMA max_page_count = 1")
        .await
        .unwrap();
    let changes = Changes {
        machine: Some(machine()),
        nodes: (1..=500).map(super::samples::node).collect(),
        ..Changes::default()
    };
    let error = store.record(&changes).await.unwrap_err();
    assert_snapshot!(short(&error, &path), @"cannot write DIR/colony.db: the disk is full; free some space and try again");
    assert_eq!(store.machine().await.unwrap(), None);
    store.close().await.unwrap();
}
