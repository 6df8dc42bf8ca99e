//! A node as it is on record and on the disk.

use std::path::{Path, PathBuf};

use wnm_tests::database::{Database, NodeRow};

use crate::script::Standing;

/// A file among each node's records, by which its data is known again.
const RECORD: &str = "record_store/planted";

/// A node.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its row.
    pub row: NodeRow,
    /// What is wanted of it.
    pub wanted: Standing,
    /// What makes it this node and no other.
    pub key: Vec<u8>,
    /// Its data; nothing where there is none of ours.
    pub record: Vec<u8>,
}

/// The nodes on record. `place` tells where a directory is seen from here.
#[track_caller]
pub fn seen(database: &Database, place: impl Fn(&Path) -> PathBuf) -> Vec<Seen> {
    let desired = database.rows(&["desired"], "node ORDER BY id");
    let desired = desired.into_iter().flatten().flatten();
    let rows = database.nodes().into_iter().zip(desired);
    let look = |(row, desired): (NodeRow, String)| {
        let root = place(&row.root_dir);
        let read = |name| std::fs::read(root.join(name)).unwrap_or_default();
        Seen {
            wanted: match desired.as_str() {
                "running" => Standing::Running,
                "stopped" => Standing::Stopped,
                "disabled" => Standing::Disabled,
                other => panic!("nobody wants a node to be {other}"),
            },
            key: read("secret-key"),
            record: read(RECORD),
            row,
        }
    };
    rows.map(look).collect()
}

/// Gives every node data by which it is known again.
pub fn plant(database: &Database, place: impl Fn(&Path) -> PathBuf) {
    for row in database.nodes() {
        std::fs::write(place(&row.root_dir).join(RECORD), row.name).unwrap();
    }
}
