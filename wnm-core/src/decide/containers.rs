//! Containers: which must run, and which nodes come back with theirs.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::rules::rank;
use super::{Act, Doing, MachineAct, MachineStep, Plan, Reason, Step};
use crate::container::{ContainerObservation, ContainerState};
use crate::id::{ContainerId, NodeId};
use crate::manager::LanePolicy;
use crate::node::{Actor, DesiredState, Node, ObservedState, lifecycle};
use crate::snapshot::{Snapshot, SupervisorState};

/// The nodes that went down with their container and come back with it. They ran before, so neither the limits
/// on starts nor the load holds them back, and the rules count them as running.
#[derive(Debug, Default)]
pub(super) struct Restart {
    nodes: BTreeMap<NodeId, ContainerId>,
}

impl Restart {
    pub fn of(snapshot: &Snapshot) -> Self {
        if !acts_on_containers(snapshot) {
            return Self::default();
        }
        let containers = by_id(snapshot);
        let restarted = |node: &&Node| {
            let id = container_of(snapshot, node)?;
            let observed = containers.get(&id)?;
            went_down_with(node, observed).then_some((node.id, id))
        };
        Self {
            nodes: snapshot
                .nodes
                .iter()
                .filter_map(|node| restarted(&node))
                .collect(),
        }
    }

    /// The snapshot with these nodes running.
    pub fn applied_to<'s>(&self, snapshot: &'s Snapshot) -> Cow<'s, Snapshot> {
        if self.nodes.is_empty() {
            return Cow::Borrowed(snapshot);
        }
        let mut applied = snapshot.clone();
        for node in &mut applied.nodes {
            if self.nodes.contains_key(&node.id) {
                lifecycle::returned(node, true, snapshot.taken_at);
            }
        }
        Cow::Owned(applied)
    }

    /// Adds a start for each node that has no step in the plan. An upgrade becomes a start with the new program,
    /// and a node that is to stop or go stays down.
    pub fn add_to(&self, plan: &mut Plan) {
        let mut missing = self.nodes.clone();
        for step in &mut plan.steps {
            if missing.remove(&step.node).is_some() && step.act == Act::Upgrade {
                step.act = Act::Start {
                    upgrade_first: true,
                };
            }
        }
        let starts = missing.into_iter().map(|(node, id)| Step {
            node,
            act: Act::Start {
                upgrade_first: false,
            },
            reason: Reason::ContainerRestarted { id },
            priority: rank::CONTAINER_RESTARTED,
            by: Actor::Wnm,
        });
        plan.steps.extend(starts);
        // What a person asked for keeps its rank, and the starts come after it.
        plan.steps
            .sort_by_key(|step| std::cmp::Reverse(step.priority));
    }
}

/// Adds a step for each container that must run and does not: the least number of containers, and those that
/// nodes are in or will be added to.
pub(super) fn ensure(snapshot: &Snapshot, plan: &mut Plan) {
    if !acts_on_containers(snapshot) {
        return;
    }
    let mut nodes: BTreeMap<ContainerId, u32> = BTreeMap::new();
    for node in snapshot.nodes.iter().filter(|node| node.is_kept()) {
        if let Some(id) = container_of(snapshot, node) {
            *nodes.entry(id).or_default() += 1;
        }
    }
    let mut adding: BTreeMap<ContainerId, u32> = BTreeMap::new();
    for step in plan.steps.iter().filter(|step| step.act == Act::Add) {
        if let Some(id) = snapshot.policy.ids.container_of(step.node) {
            *adding.entry(id).or_default() += 1;
        }
    }
    let least = (1..=snapshot.policy.min_containers).map(ContainerId);
    let needed: BTreeSet<ContainerId> = least
        .chain(nodes.keys().copied())
        .chain(adding.keys().copied())
        .collect();
    let containers = by_id(snapshot);
    for id in needed {
        let (nodes, adding) = (count(&nodes, id), count(&adding, id));
        let state = match containers.get(&id) {
            Some(observed) => observed.state,
            // Nobody saw it, so it is created only for a node that is added.
            None if adding > 0 => ContainerState::Missing,
            None => continue,
        };
        match state {
            ContainerState::Running => continue,
            ContainerState::Unknown if adding == 0 => {
                let said = containers
                    .get(&id)
                    .and_then(|observed| observed.said.clone());
                let said = said.unwrap_or_else(|| format!("is {state}"));
                plan.held_back.push(Reason::Withheld {
                    doing: Doing::EnsuringContainer,
                    because: Box::new(Reason::ContainerUnknown { id, said }),
                });
                continue;
            }
            ContainerState::Stopped | ContainerState::Missing | ContainerState::Unknown => {}
        }
        plan.machine_steps.push(MachineStep {
            act: MachineAct::EnsureContainer { container: id },
            reason: Reason::ContainerNeeded {
                state,
                nodes,
                adding,
            },
        });
    }
}

/// Whether a node that should run went down with this container.
fn went_down_with(node: &Node, container: &ContainerObservation) -> bool {
    let down = match container.state {
        ContainerState::Stopped | ContainerState::Missing => {
            node.observed().state == ObservedState::Stopped
        }
        ContainerState::Running => {
            container.lost.contains(&node.id) && node.observed().state != ObservedState::Running
        }
        ContainerState::Unknown => false,
    };
    // An interrupted step is resumed instead.
    let is_steady = node.transition().is_none_or(|step| step.acted);
    down && is_steady && node.desired().state == DesiredState::Running
}

fn acts_on_containers(snapshot: &Snapshot) -> bool {
    snapshot.policy.lanes == LanePolicy::PerContainer
        && snapshot.supervisor == SupervisorState::Answering
}

fn by_id(snapshot: &Snapshot) -> BTreeMap<ContainerId, &ContainerObservation> {
    let containers = snapshot.containers.iter();
    containers
        .map(|container| (container.id, container))
        .collect()
}

fn container_of(snapshot: &Snapshot, node: &Node) -> Option<ContainerId> {
    let by_number = || snapshot.policy.ids.container_of(node.id);
    node.container.or_else(by_number)
}

fn count(counts: &BTreeMap<ContainerId, u32>, id: ContainerId) -> u32 {
    counts.get(&id).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
