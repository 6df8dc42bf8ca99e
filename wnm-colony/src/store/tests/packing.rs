//! Nodes read in one value are those that are read value by value.

use sea_orm::ConnectionTrait;
use tempfile::TempDir;

use super::samples::{machine, node};
use crate::store::{Changes, Store, StoreError};
use wnm_core::node::Node;

/// The nodes in one value, if that can be read, and one by one.
pub async fn read_both_ways(store: &Store) -> (Option<Vec<Node>>, Result<Vec<Node>, StoreError>) {
    let manager = store.default_manager().await.unwrap();
    let packed = store.packed_nodes(&manager).await.unwrap();
    (packed, store.nodes_one_by_one(&manager).await)
}

/// A colony of one node, and what records it again.
async fn one_node() -> (TempDir, Store, Changes) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("colony.db");
    let store = Store::create(&path).await.unwrap();
    let changes = Changes {
        machine: Some(machine()),
        nodes: vec![node(1)],
        ..Changes::default()
    };
    store.record(&changes).await.unwrap();
    (directory, store, changes)
}

#[tokio::test]
async fn whatever_is_in_a_column_is_read_alike() {
    let (_directory, store, changes) = one_node().await;
    let mut read = 0;
    for column in [
        "peer_id",
        "network",
        "environment",
        "records",
        "age",
        "last_start",
    ] {
        for value in [
            "NULL",
            "0",
            "-7",
            "9223372036854775807",
            "2.5",
            "1e300",
            "9e999",
            "''",
            "' '",
            "'7'",
            "'a\"b\\c/d'",
            "'a' || char(10) || 'b' || char(9, 13, 27, 127, 8232, 129424)",
            "CAST(x'610062' AS TEXT)",
            "CAST(x'61FF' AS TEXT)",
            // Blobs, of which JSONB would be null, true and a text.
            "x'ff'",
            "x'00'",
            "x'01'",
            "x'1761'",
            "x''",
        ] {
            store.record(&changes).await.unwrap();
            let update = format!("UPDATE OR IGNORE node SET {column} = {value}");
            store.db.execute_unprepared(&update).await.unwrap();
            let (packed, one_by_one) = read_both_ways(&store).await;
            read += usize::from(packed.is_some());
            assert_eq!(packed, one_by_one.ok(), "{update}");
        }
    }
    store.close().await.unwrap();
    assert!(read > 30, "only {read} were read in one value");
}

/// A quoted name that SQLite does not know is a text to it, and the name would be read as the value.
#[tokio::test]
async fn a_column_that_is_not_there_is_no_text() {
    let (_directory, store, _) = one_node().await;
    let rename = "ALTER TABLE node RENAME COLUMN peer_id TO peer";
    store.db.execute_unprepared(rename).await.unwrap();
    let error = store.nodes().await.unwrap_err().to_string();
    assert!(error.contains("node.peer_id"), "{error}");
    store.close().await.unwrap();
}
