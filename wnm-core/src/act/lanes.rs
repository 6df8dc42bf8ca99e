//! What may go on at once. Pure.

use std::collections::BTreeMap;

use crate::container::ContainerId;
use crate::decide::Step;
use crate::manager::LanePolicy;
use crate::node::{Node, NodeId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    All,
    Container(Option<ContainerId>),
    Node(NodeId),
}

/// Sorts steps into lanes. Lanes run at once; in a lane steps keep their order.
pub(super) fn lanes(
    steps: &[Step],
    nodes: &BTreeMap<NodeId, Node>,
    policy: LanePolicy,
) -> Vec<Vec<Step>> {
    let mut lanes: BTreeMap<Lane, Vec<Step>> = BTreeMap::new();
    let mut order = Vec::new();
    for step in steps {
        let lane = match policy {
            LanePolicy::Single => Lane::All,
            LanePolicy::PerContainer => {
                Lane::Container(nodes.get(&step.node).and_then(|node| node.container))
            }
            LanePolicy::PerNode => Lane::Node(step.node),
        };
        lanes
            .entry(lane)
            .or_insert_with(|| {
                order.push(lane);
                Vec::new()
            })
            .push(step.clone());
    }
    order
        .into_iter()
        .filter_map(|lane| lanes.remove(&lane))
        .collect()
}
