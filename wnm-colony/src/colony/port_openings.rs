//! The ports that a run opens before it acts, in one call, which makes few firewall rules of many.

use std::collections::{BTreeSet, HashMap};

use super::{Colony, ColonyError};
use crate::store::Changes;
use wnm_core::cycle::MachineStepResult;
use wnm_core::decide::{Act, MachineAct, MachineStep, Plan, Step};
use wnm_core::event::{Event, EventKind, Outcome};
use wnm_core::firewall::Opening;
use wnm_core::id::NodeId;
use wnm_core::node::{Node, TransitionKind};
use wnm_core::snapshot::Snapshot;

impl Colony {
    /// Has the manager apply what the nodes share and open the ports of the plan. A failure is recorded and no
    /// reason to leave the nodes alone.
    pub(super) async fn prepare(
        &self,
        snapshot: &Snapshot,
        plan: &Plan,
    ) -> Result<Vec<MachineStepResult>, ColonyError> {
        let opens = |step: &&MachineStep| matches!(step.act, MachineAct::OpenPorts { .. });
        let steps: Vec<&MachineStep> = plan.machine_steps.iter().filter(opens).collect();
        let mut openings = openings_of_new(snapshot, &plan.steps);
        openings.extend(steps.iter().flat_map(|step| openings_of(snapshot, step)));
        let prepared = self.manager.prepare(&openings).await;
        if let Err(error) = &prepared {
            tracing::warn!(%error, "cannot apply what the nodes share");
        }
        let (outcome, error) = match &prepared {
            Ok(()) => (Outcome::Done, None),
            Err(error) if error.leaves_it_open() => (Outcome::Open, Some(error.to_string())),
            Err(error) => (Outcome::Failed, Some(error.to_string())),
        };
        let mut changes = Changes::default();
        let mut results = Vec::new();
        for step in steps {
            let result = MachineStepResult {
                step: step.clone(),
                outcome,
                error: error.clone(),
            };
            changes.events.push(self.machine_event(&result));
            results.push(result);
        }
        if let (true, Some(error)) = (results.is_empty(), error) {
            let now = self.environment.clock.now();
            let event = Event::new(now, EventKind::Prepared, Outcome::Failed, error);
            changes.events.push(event);
        }
        if !changes.events.is_empty() {
            self.store.record(&changes).await?;
        }
        Ok(results)
    }
}

/// The openings of a step that opens the ports of nodes.
fn openings_of(snapshot: &Snapshot, step: &MachineStep) -> Vec<Opening> {
    let MachineAct::OpenPorts { nodes } = &step.act else {
        return Vec::new();
    };
    let wanted: BTreeSet<NodeId> = nodes.ids().iter().copied().collect();
    let nodes = snapshot.nodes.iter();
    let wanted = nodes.filter(|node| wanted.contains(&node.id));
    wanted.map(Opening::of).collect()
}

/// The openings of the nodes that will be added.
fn openings_of_new(snapshot: &Snapshot, steps: &[Step]) -> Vec<Opening> {
    let nodes: HashMap<NodeId, &Node> = snapshot.nodes.iter().map(|n| (n.id, n)).collect();
    steps
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
        .collect()
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
    use wnm_core::node::Actor;
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
        let openings = openings_of_new(snapshot, steps).into_iter();
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
    fn a_step_opens_the_ports_of_its_nodes() {
        let snapshot = snapshot_of([node(1), node(2), node(3)]);
        let step = MachineStep {
            act: MachineAct::OpenPorts {
                nodes: [1, 3].map(id).into_iter().collect(),
            },
            reason: Reason::PortsForgotten,
        };
        let openings = openings_of(&snapshot, &step).into_iter();
        let names: Vec<String> = openings.map(|opening| opening.to_string()).collect();
        assert_eq!(names, ["antnode0001", "antnode0003"]);
    }
}
