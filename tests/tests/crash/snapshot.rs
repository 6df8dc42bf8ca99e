//! The nodes of a colony at one moment, to compare them with those of another.

use std::collections::BTreeMap;

use wnm_tests::backend::TestBackend;

use crate::operation::{NEW, OLD, State};

/// What must not change of a node that nothing is done with.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    status: String,
    version: Option<String>,
    peer_id: Option<String>,
    /// What makes it this node and no other.
    secret_key: Option<Vec<u8>>,
    pids: Vec<i32>,
}

/// The nodes on record, by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<u32, Node>);

impl Snapshot {
    /// Takes one.
    pub fn of(backend: &dyn TestBackend) -> Self {
        let nodes = backend.database().nodes().into_iter().map(|row| {
            let root = backend.path_from_here(&row.root_dir);
            let node = Node {
                pids: backend.pids(&row),
                secret_key: std::fs::read(root.join("secret-key")).ok(),
                status: row.status,
                version: row.version,
                peer_id: row.peer_id,
            };
            (row.id, node)
        });
        Self(nodes.collect())
    }

    /// The state of one node. Panics when a transition is under way.
    pub fn state(&self, node: u32) -> State {
        let Some(node) = self.0.get(&node) else {
            return State::Gone;
        };
        let version = match node.version.as_deref() {
            Some(OLD) => OLD,
            Some(NEW) => NEW,
            _ => panic!("an unknown version: {node:?}"),
        };
        match (node.status.as_str(), node.pids.len()) {
            ("RUNNING", 1) => State::Running(version),
            ("STOPPED", 0) => State::Stopped(version),
            _ => panic!("neither running nor stopped: {node:?}"),
        }
    }

    /// Fails the test unless `nodes` are now in this state with the identity that they had before, and all others
    /// were left alone: the same processes, the same data.
    #[track_caller]
    pub fn assert_only_changed(mut self, mut before: Self, nodes: &[u32], state: State) {
        for node in nodes {
            assert_eq!(self.state(*node), state, "node {node}");
            if let (Some(was), Some(is)) = (before.0.remove(node), self.0.remove(node)) {
                assert!(was.secret_key.is_some());
                assert_eq!((was.secret_key, was.peer_id), (is.secret_key, is.peer_id));
            }
        }
        assert_eq!(self, before);
    }
}
