//! How the nodes of a colony stand, to be compared with how they stood before.

use std::collections::BTreeMap;

use wnm_tests::colony::Colony;

use crate::operation::{NEW, OLD, State};

/// One node as the test sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    status: String,
    version: Option<String>,
    peer_id: Option<String>,
    /// What makes it this node and no other.
    secret_key: Option<Vec<u8>>,
    processes: Vec<i32>,
}

/// The nodes on record, by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look(BTreeMap<u32, Node>);

impl Look {
    /// How they stand now.
    pub fn at(colony: &Colony) -> Self {
        let processes = colony.processes();
        let nodes = colony.database().nodes().into_iter().map(|row| {
            let own = processes
                .iter()
                .filter(|process| process.root_dir() == Some(&row.root_dir));
            let node = Node {
                processes: own.map(|process| process.pid).collect(),
                secret_key: std::fs::read(row.root_dir.join("secret-key")).ok(),
                status: row.status,
                version: row.version,
                peer_id: row.peer_id,
            };
            (row.id, node)
        });
        Self(nodes.collect())
    }

    /// How one node stands. Panics when something is under way with it.
    pub fn state(&self, node: u32) -> State {
        let Some(node) = self.0.get(&node) else {
            return State::Gone;
        };
        let version = match node.version.as_deref() {
            Some(OLD) => OLD,
            Some(NEW) => NEW,
            _ => panic!("a version of nobody: {node:?}"),
        };
        match (node.status.as_str(), node.processes.len()) {
            ("RUNNING", 1) => State::Running(version),
            ("STOPPED", 0) => State::Stopped(version),
            _ => panic!("neither running nor stopped: {node:?}"),
        }
    }

    /// Fails the test unless `node` stands like this now, as the node that it was before, and all others were
    /// left alone: the same processes, the same data.
    #[track_caller]
    pub fn assert_only_changed(mut self, before: &Look, node: u32, state: State) {
        assert_eq!(self.state(node), state);
        let mut before = before.clone();
        if let (Some(was), Some(is)) = (before.0.remove(&node), self.0.remove(&node)) {
            assert!(was.secret_key.is_some());
            assert_eq!((was.secret_key, was.peer_id), (is.secret_key, is.peer_id));
        }
        assert_eq!(self, before);
    }
}
