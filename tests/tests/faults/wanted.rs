//! What may have become of each node: what was wanted of it before, or what the operation makes of that.

use std::collections::{BTreeMap, BTreeSet};

use crate::operation::{Act, Operation};
use crate::script::Standing;
use crate::seen::Seen;

/// The end of a node; `None` when it is gone.
type End = Option<Standing>;

/// Everything that may be in the end.
#[derive(Debug)]
pub struct Wanted {
    nodes: Vec<Node>,
    /// New nodes that there are at least.
    added: usize,
}

#[derive(Debug)]
struct Node {
    before: Seen,
    ends: BTreeSet<End>,
}

impl Wanted {
    /// Before anything was done, nothing but what is.
    pub fn as_it_is(nodes: Vec<Seen>) -> Self {
        let nodes = nodes.into_iter().map(|before| Node {
            ends: [Some(before.wanted)].into(),
            before,
        });
        Self {
            nodes: nodes.collect(),
            added: 0,
        }
    }

    /// An operation was begun, which may have been done in parts.
    pub fn perhaps(&mut self, operation: &Operation) {
        for node in &mut self.nodes {
            let ends = node.ends.iter();
            let after: Vec<End> = ends
                .map(|end| after(*end, node.before.row.id, operation))
                .collect();
            node.ends.extend(after);
        }
    }

    /// It said that it was done, all of it.
    pub fn surely(&mut self, operation: &Operation) {
        for node in &mut self.nodes {
            node.ends = [after(
                Some(node.before.wanted),
                node.before.row.id,
                operation,
            )]
            .into();
        }
        if let Operation::Add(count) = operation {
            self.added = *count as usize;
        }
    }

    /// Fails the test unless all nodes ended as they may, with their data, and new ones run.
    #[track_caller]
    pub fn check(&self, now: Vec<Seen>) {
        let mut left: BTreeMap<Vec<u8>, Seen> = BTreeMap::new();
        for node in now {
            assert_eq!(node.key.len(), 32, "the identity of {node:#?}");
            let twin = left.insert(node.key.clone(), node);
            assert!(twin.is_none(), "two of one identity: {twin:#?}");
        }
        for Node { before, ends } in &self.nodes {
            let now = left.remove(&before.key);
            let end = now.as_ref().map(|node| node.wanted);
            assert!(ends.contains(&end), "{end:?} and not {ends:?}: {before:#?}");
            if let Some(now) = now {
                assert_eq!(now.row.id, before.row.id, "another number");
                assert_eq!(now.record, before.record, "the data of {now:#?}");
            }
        }
        for node in left.values() {
            assert_eq!(node.wanted, Standing::Running, "nobody said so: {node:#?}");
        }
        assert!(left.len() >= self.added, "{} are to be new", self.added);
    }
}

fn after(before: End, node: u32, operation: &Operation) -> End {
    let before = before?;
    match operation {
        Operation::Cycle
        | Operation::Grow(_)
        | Operation::UpgradeCycle
        | Operation::Add(_)
        | Operation::On(Act::Upgrade, _) => Some(before),
        Operation::Teardown => None,
        Operation::On(_, nodes) if !nodes.contains(&node) => Some(before),
        Operation::On(Act::Remove, _) => None,
        Operation::On(Act::Start, _) => Some(Standing::Running),
        // A node that is out of wnm's hands and does not run is stopped already.
        Operation::On(Act::Stop, _) if before == Standing::Disabled => Some(before),
        Operation::On(Act::Stop, _) => Some(Standing::Stopped),
        Operation::On(Act::Disable, _) => Some(Standing::Disabled),
    }
}
