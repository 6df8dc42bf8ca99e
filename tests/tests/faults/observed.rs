//! A node's row and its files.

use std::path::{Path, PathBuf};

use wnm_tests::database::{Database, NodeRow};

use crate::script::Desired;

/// A file among each node's records that identifies its data.
const RECORD: &str = "record_store/planted";

/// A node.
#[derive(Debug, Clone)]
pub struct ObservedNode {
    /// Its row.
    pub row: NodeRow,
    /// Its desired state.
    pub desired: Desired,
    /// Its identity.
    pub key: Vec<u8>,
    /// The content of the planted file. Empty where there is none.
    pub record: Vec<u8>,
}

/// The nodes on record. `place` returns the path from here to a directory.
#[track_caller]
pub fn observed_nodes(database: &Database, place: impl Fn(&Path) -> PathBuf) -> Vec<ObservedNode> {
    let desired = database.rows(&["desired"], "node ORDER BY id");
    let desired = desired.into_iter().flatten().flatten();
    let rows = database.nodes().into_iter().zip(desired);
    let observe = |(row, word): (NodeRow, String)| {
        let root = place(&row.root_dir);
        let read = |name| std::fs::read(root.join(name)).unwrap_or_default();
        ObservedNode {
            desired: match word.as_str() {
                "running" => Desired::Running,
                "stopped" => Desired::Stopped,
                "disabled" => Desired::Disabled,
                other => panic!("an unknown desired state: {other}"),
            },
            key: read("secret-key"),
            record: read(RECORD),
            row,
        }
    };
    rows.map(observe).collect()
}

/// Plants a file in every node's data.
pub fn plant(database: &Database, place: impl Fn(&Path) -> PathBuf) {
    for row in database.nodes() {
        std::fs::write(place(&row.root_dir).join(RECORD), row.name).unwrap();
    }
}
