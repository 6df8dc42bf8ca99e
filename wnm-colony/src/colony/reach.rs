//! Which ports a run needs open. Pure.

use std::collections::HashMap;

use wnm_core::decide::{Act, Step};
use wnm_core::firewall::Opening;
use wnm_core::id::NodeId;
use wnm_core::node::{Node, TransitionKind};
use wnm_core::snapshot::Snapshot;

/// The ports to open before these steps are taken, in one go, which makes few rules of many: those of the nodes
/// that will be added, and after a reboot those of all nodes.
pub(super) fn ports_to_open(snapshot: &Snapshot, steps: &[Step]) -> Vec<Opening> {
    let nodes: HashMap<NodeId, &Node> = snapshot.nodes.iter().map(|n| (n.id, n)).collect();
    let mut openings: Vec<Opening> = steps
        .iter()
        .filter(|step| is_adding(step.act, nodes.get(&step.node).copied()))
        // Without a program no node is made.
        .filter(|_| snapshot.binary.is_ok())
        .filter_map(|step| match nodes.get(&step.node) {
            Some(node) => Some(Opening::of(node)),
            // A number without a port is refused when its step is taken.
            None => {
                let ports = snapshot.machine.ports.of(step.node).ok()?;
                Some(Opening::new(step.node, ports.node))
            }
        })
        .collect();
    if snapshot.rebooted {
        let kept = snapshot.nodes.iter().filter(|node| node.is_kept());
        openings.extend(kept.map(Opening::of));
    }
    openings
}

fn is_adding(act: Act, node: Option<&Node>) -> bool {
    match act {
        Act::Add => true,
        Act::Resume => node.and_then(Node::under_way) == Some(TransitionKind::Adding),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wnm_core::decide::Reason;
    use wnm_core::node::{Actor, DesiredState};
    use wnm_core::quantity::Seconds;
    use wnm_core::testing::{edit, id, node, snapshot_of, under_way};

    fn step(number: u32, act: Act) -> Step {
        Step {
            node: id(number),
            act,
            reason: Reason::Rebooted,
            priority: 0,
            by: Actor::Wnm,
        }
    }

    fn told(snapshot: &Snapshot, steps: &[Step]) -> Vec<String> {
        let openings = ports_to_open(snapshot, steps).into_iter();
        let ports = openings.map(|opening| format!("{} {opening}", opening.ports().text('-')));
        ports.collect()
    }

    #[test]
    fn what_will_be_added_needs_its_port_and_nothing_else_does() {
        let mut adding = node(2);
        edit(&mut adding, |n| {
            n.transition = Some(under_way(TransitionKind::Adding, false, Seconds(60)))
        });
        let mut starting = node(3);
        edit(&mut starting, |n| {
            n.transition = Some(under_way(TransitionKind::Starting, false, Seconds(60)))
        });
        let mut snapshot = snapshot_of([node(1), adding, starting]);
        let steps = [
            step(1, Act::Stop),
            step(2, Act::Resume),
            step(3, Act::Resume),
            step(4, Act::Add),
            step(60_000, Act::Add),
        ];
        let both = ["55002 antnode0002", "55004 antnode0004"];
        assert_eq!(told(&snapshot, &steps), both);
        snapshot.binary = Err("no program".to_owned());
        assert_eq!(told(&snapshot, &steps), [""; 0]);
    }

    #[test]
    fn after_a_reboot_all_nodes_that_are_kept_need_theirs() {
        let mut removed = node(2);
        edit(&mut removed, |n| n.desired.state = DesiredState::Absent);
        let mut snapshot = snapshot_of([node(1), removed, node(3)]);
        assert_eq!(told(&snapshot, &[]), [""; 0]);
        snapshot.rebooted = true;
        assert_eq!(
            told(&snapshot, &[]),
            ["55001 antnode0001", "55003 antnode0003"]
        );
    }
}
