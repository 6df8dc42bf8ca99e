//! What may have become of each node: what was wanted of it before, or what the operation makes of that.

use std::collections::{BTreeMap, BTreeSet};

use wnm_tests::database::NodeRow;

use crate::operation::{Act, Operation};
use crate::script::Standing;
use crate::stage::{Stage, data};

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
    row: NodeRow,
    data: (Vec<u8>, Vec<u8>),
    before: Standing,
    ends: BTreeSet<End>,
}

impl Wanted {
    /// Before anything was done, nothing but what is.
    pub fn at(stage: &Stage) -> Self {
        let desired = stage.desired();
        let rows = stage.colony.database().nodes().into_iter();
        let nodes = rows.map(|row| {
            let before = standing(&desired[&row.id]);
            Node {
                data: data(&row),
                before,
                ends: [Some(before)].into(),
                row,
            }
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
                .map(|end| after(*end, node.row.id, operation))
                .collect();
            node.ends.extend(after);
        }
    }

    /// It said that it was done, all of it.
    pub fn surely(&mut self, operation: &Operation) {
        for node in &mut self.nodes {
            node.ends = [after(Some(node.before), node.row.id, operation)].into();
        }
        if let Operation::Add(count) = operation {
            self.added = *count as usize;
        }
    }

    /// Fails the test unless all nodes ended as they may, with their data, and new ones run.
    #[track_caller]
    pub fn check(&self, stage: &Stage) {
        let desired = stage.desired();
        let mut left: BTreeMap<Vec<u8>, NodeRow> = BTreeMap::new();
        for row in stage.colony.database().nodes() {
            let (key, _) = data(&row);
            assert_eq!(key.len(), 32, "the identity of {row:#?}");
            let twin = left.insert(key, row);
            assert!(twin.is_none(), "two of one identity: {twin:#?}");
        }
        for node in &self.nodes {
            let row = left.remove(&node.data.0);
            let end = row.as_ref().map(|row| standing(&desired[&row.id]));
            assert!(node.ends.contains(&end), "{end:?} is the end of {node:#?}");
            if let Some(row) = row {
                assert_eq!(row.id, node.row.id, "another number");
                assert_eq!(data(&row), node.data, "the data of {row:#?}");
            }
        }
        let new = left.values();
        for row in new.clone() {
            let wanted = standing(&desired[&row.id]);
            assert_eq!(wanted, Standing::Running, "nobody stopped {row:#?}");
        }
        assert!(new.len() >= self.added, "{} are to be new", self.added);
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

#[track_caller]
fn standing(desired: &str) -> Standing {
    match desired {
        "running" => Standing::Running,
        "stopped" => Standing::Stopped,
        "disabled" => Standing::Disabled,
        other => panic!("nobody wants a node to be {other}"),
    }
}
