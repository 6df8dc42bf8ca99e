//! The acceptable end states of each node: the one before the operation, or the one that it leads to.

use std::collections::{BTreeMap, BTreeSet};

use crate::observed::ObservedNode;
use crate::operation::{Act, Operation};
use crate::script::Desired;

/// The desired state of a node at the end. `None` when it is gone.
type End = Option<Desired>;

/// All acceptable end states.
#[derive(Debug)]
pub struct ExpectedNodes {
    nodes: Vec<Node>,
    /// The least number of new nodes.
    added: usize,
}

#[derive(Debug)]
struct Node {
    before: ObservedNode,
    ends: BTreeSet<End>,
}

impl ExpectedNodes {
    /// The initial states only.
    pub fn unchanged(nodes: Vec<ObservedNode>) -> Self {
        let nodes = nodes.into_iter().map(|before| Node {
            ends: [Some(before.desired)].into(),
            before,
        });
        Self {
            nodes: nodes.collect(),
            added: 0,
        }
    }

    /// The operation began, and may have been done in part.
    pub fn may_have_run(&mut self, operation: &Operation) {
        for node in &mut self.nodes {
            let ends = node.ends.iter();
            let after: Vec<End> = ends
                .map(|end| after(*end, node.before.row.id, operation))
                .collect();
            node.ends.extend(after);
        }
    }

    /// The operation reported success for all nodes.
    pub fn succeeded_with(&mut self, operation: &Operation) {
        for node in &mut self.nodes {
            node.ends = [after(
                Some(node.before.desired),
                node.before.row.id,
                operation,
            )]
            .into();
        }
        if let Operation::Add(count) = operation {
            self.added = *count as usize;
        }
    }

    /// Fails the test unless all nodes are in an acceptable state with their data, and new ones run.
    #[track_caller]
    pub fn check(&self, now: Vec<ObservedNode>) {
        let mut left: BTreeMap<Vec<u8>, ObservedNode> = BTreeMap::new();
        for node in now {
            assert_eq!(node.key.len(), 32, "the identity of {node:#?}");
            let twin = left.insert(node.key.clone(), node);
            assert!(twin.is_none(), "two of one identity: {twin:#?}");
        }
        for Node { before, ends } in &self.nodes {
            let now = left.remove(&before.key);
            let end = now.as_ref().map(|node| node.desired);
            assert!(ends.contains(&end), "{end:?} and not {ends:?}: {before:#?}");
            if let Some(now) = now {
                assert_eq!(now.row.id, before.row.id, "another number");
                assert_eq!(now.record, before.record, "the data of {now:#?}");
            }
        }
        for node in left.values() {
            assert_eq!(
                node.desired,
                Desired::Running,
                "not expected to exist or not running: {node:#?}"
            );
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
        Operation::On(Act::Start, _) => Some(Desired::Running),
        // A disabled node that does not run counts as stopped.
        Operation::On(Act::Stop, _) if before == Desired::Disabled => Some(before),
        Operation::On(Act::Stop, _) => Some(Desired::Stopped),
        Operation::On(Act::Disable, _) => Some(Desired::Disabled),
    }
}
