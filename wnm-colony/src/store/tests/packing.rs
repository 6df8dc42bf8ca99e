//! Nodes read as one JSON value equal those read column by column.

use sea_orm::ConnectionTrait;
use tempfile::TempDir;

use super::samples::{machine, node};
use crate::store::{Changes, Store, StoreError};
use wnm_core::node::Node;

/// The nodes as one JSON value, if that decodes, and column by column.
pub async fn read_both_ways(store: &Store) -> (Option<Vec<Node>>, Result<Vec<Node>, StoreError>) {
    let manager = store.default_manager().await.unwrap();
    let packed = store.packed_nodes(&manager).await.unwrap();
    (packed, store.nodes_one_by_one(&manager).await)
}

/// A colony of one node, and the changes that record it again.
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
async fn both_readers_agree_on_any_value_of_a_column() {
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
            // Blobs that would be null, true and a text if read as JSONB.
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
    assert!(read > 30, "only {read} values decoded as JSON");
}

/// SQLite treats an unknown quoted name as a string, which would then be read as the value.
#[tokio::test]
async fn a_missing_column_is_an_error() {
    let (_directory, store, _) = one_node().await;
    let rename = "ALTER TABLE node RENAME COLUMN peer_id TO peer";
    store.db.execute_unprepared(rename).await.unwrap();
    let error = store.nodes().await.unwrap_err().to_string();
    assert!(error.contains("node.peer_id"), "{error}");
    store.close().await.unwrap();
}
