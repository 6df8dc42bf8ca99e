//! What may go on at once. Pure.

use std::collections::BTreeMap;

use wnm_core::decide::{Act, Reason, Step};
use wnm_core::id::ContainerId;
use wnm_core::id::NodeId;
use wnm_core::manager::{LanePolicy, ManagerPolicy};
use wnm_core::node::{Node, TransitionKind};

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
    policy: &ManagerPolicy,
) -> Vec<Vec<Step>> {
    let mut lanes: BTreeMap<Lane, Vec<Step>> = BTreeMap::new();
    let mut order = Vec::new();
    for step in steps {
        let lane = match policy.lanes {
            LanePolicy::Single => Lane::All,
            LanePolicy::PerContainer => {
                let on_record = nodes.get(&step.node).and_then(|node| node.container);
                Lane::Container(on_record.or_else(|| policy.ids.container_of(step.node)))
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

/// Cuts a lane into batches of neighbours that are done in the same way, at most `most` in each. The nodes that
/// restart with their container come back together, however many they are.
pub(super) fn batches(
    lane: Vec<Step>,
    nodes: &BTreeMap<NodeId, Node>,
    most: usize,
) -> Vec<Vec<Step>> {
    let way = |step: &Step| -> (Act, Option<TransitionKind>) {
        let under_way = match step.act {
            Act::Resume => nodes.get(&step.node).and_then(Node::under_way),
            _ => None,
        };
        (step.act, under_way)
    };
    let restarts = |step: &Step| matches!(step.reason, Reason::ContainerRestarted { .. });
    let fits = |batch: &[Step], step: &Step| {
        let alike = |first: &Step| way(first) == way(step) && restarts(first) == restarts(step);
        batch.first().is_some_and(alike) && (batch.len() < most || restarts(step))
    };
    let mut batches: Vec<Vec<Step>> = Vec::new();
    for step in lane {
        match batches.last_mut() {
            Some(batch) if fits(batch, &step) => batch.push(step),
            _ => batches.push(vec![step]),
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use wnm_core::node::Actor;
    use wnm_core::node::Transition;
    use wnm_core::numbering::IdPolicy;
    use wnm_core::quantity::UnixTime;
    use wnm_core::testing::{edit, id, node, snapshot};

    fn step(number: u32, act: Act) -> Step {
        Step {
            node: id(number),
            act,
            reason: Reason::Asked,
            priority: 0,
            by: Actor::Operator,
        }
    }

    fn numbers(groups: &[Vec<Step>]) -> Vec<Vec<u32>> {
        let numbers = |steps: &Vec<Step>| steps.iter().map(|step| step.node.get()).collect();
        groups.iter().map(numbers).collect()
    }

    #[test]
    fn a_node_that_is_yet_to_come_is_in_the_lane_of_its_container() {
        let mut policy = snapshot().policy;
        policy.lanes = LanePolicy::PerContainer;
        policy.ids = IdPolicy::Blocks { size: 2, open: 2 };
        let mut moved = node(2);
        moved.container = Some(ContainerId(2));
        let nodes = BTreeMap::from([(moved.id, moved)]);
        let steps: Vec<Step> = (1..=4).map(|number| step(number, Act::Add)).collect();
        let lanes = lanes(&steps, &nodes, &policy);
        assert_eq!(numbers(&lanes), [vec![1], vec![2, 3, 4]]);
    }

    #[test]
    fn neighbours_that_are_done_alike_make_a_batch() {
        let mut nodes = BTreeMap::new();
        for (number, kind) in [
            (5, TransitionKind::Starting),
            (6, TransitionKind::Stopping),
            (7, TransitionKind::Stopping),
        ] {
            let mut node = node(number);
            edit(&mut node, |n| {
                n.transition = Some(Transition {
                    kind,
                    since: UnixTime(0),
                    acted: false,
                })
            });
            nodes.insert(node.id, node);
        }
        let adds = (1..=3).map(|number| step(number, Act::Add));
        let others = [step(4, Act::Stop)].into_iter();
        let resumed = (5..=7).map(|number| step(number, Act::Resume));
        let lane: Vec<Step> = adds.chain(others).chain(resumed).collect();
        let of_two = batches(lane.clone(), &nodes, 2);
        assert_eq!(
            numbers(&of_two),
            [vec![1, 2], vec![3], vec![4], vec![5], vec![6, 7]]
        );
        assert_eq!(batches(lane, &nodes, 1).len(), 7);
    }

    #[test]
    fn nodes_that_restart_with_their_container_come_back_together() {
        let start = |number| {
            let upgrade_first = false;
            step(number, Act::Start { upgrade_first })
        };
        let restart = |number| Step {
            reason: Reason::ContainerRestarted { id: ContainerId(1) },
            ..start(number)
        };
        let lane = (1..=5).map(restart).chain((6..=8).map(start)).collect();
        let batches = batches(lane, &BTreeMap::new(), 2);
        assert_eq!(
            numbers(&batches),
            [vec![1, 2, 3, 4, 5], vec![6, 7], vec![8]]
        );
    }
}
