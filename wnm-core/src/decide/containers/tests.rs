use super::*;
use crate::decide::{ForcedAction, ForcedRequest, PlanKind, decide, decide_forced};
use crate::node::{Transition, TransitionKind};
use crate::numbering::IdPolicy;
use crate::quantity::Seconds;
use crate::testing::{NOW, edit, id, node, percent, seen, snapshot_of, stopped, under_way};

const A1: ContainerId = ContainerId(1);
const A2: ContainerId = ContainerId(2);

/// Containers of two numbers each, with the first two of them in these states.
fn colony(nodes: impl IntoIterator<Item = Node>, states: [ContainerState; 2]) -> Snapshot {
    let mut snapshot = snapshot_of(nodes);
    snapshot.policy.lanes = LanePolicy::PerContainer;
    snapshot.policy.ids = IdPolicy::Blocks { size: 2, open: 1 };
    let observe = |(id, state)| ContainerObservation::new(id, state);
    snapshot.containers = [A1, A2].into_iter().zip(states).map(observe).collect();
    snapshot
}

fn down(number: u32) -> Node {
    seen(number, ObservedState::Stopped)
}

fn ensured(plan: &Plan) -> Vec<ContainerId> {
    let steps = plan.machine_steps.iter();
    steps
        .filter_map(|step| match step.act {
            MachineAct::EnsureContainer { container } => Some(container),
            MachineAct::OpenPorts { .. } => None,
        })
        .collect()
}

fn restarted(plan: &Plan) -> Vec<u32> {
    let steps = plan.steps.iter();
    steps
        .filter(|step| matches!(step.reason, Reason::ContainerRestarted { .. }))
        .map(|step| step.node.get())
        .collect()
}

#[test]
fn a_settled_colony_of_containers_has_an_empty_plan() {
    let mut snapshot = colony([node(1), node(3)], [ContainerState::Running; 2]);
    snapshot.machine.node_cap = 2;
    let plan = decide(&snapshot);
    assert_eq!(
        (plan.kind, plan.steps, plan.machine_steps),
        (PlanKind::Idle, vec![], vec![])
    );
}

#[test]
fn all_nodes_of_a_missing_container_come_back_whatever_the_limits_and_the_load() {
    let states = [ContainerState::Missing, ContainerState::Running];
    let mut snapshot = colony([down(1), down(2), node(3)], states);
    snapshot.load.memory = percent(65.0);
    assert_eq!(snapshot.machine.limits.starts, 1);
    let plan = decide(&snapshot);
    assert_eq!(plan.kind, PlanKind::Act);
    assert_eq!((ensured(&plan), restarted(&plan)), (vec![A1], vec![1, 2]));
    assert_eq!(
        plan.machine_steps[0].reason.to_string(),
        "it is missing, 2 nodes in it"
    );
    assert_eq!(plan.features.census.running, 3);
}

#[test]
fn a_running_container_restores_the_nodes_it_lost_and_no_others() {
    let mut snapshot = colony(
        [down(1), seen(2, ObservedState::Unknown)],
        [ContainerState::Running; 2],
    );
    assert_eq!(restarted(&decide(&snapshot)), [0; 0]);
    snapshot.containers[0].lost = vec![id(1), id(2)];
    let plan = decide(&snapshot);
    assert_eq!((ensured(&plan), restarted(&plan)), (vec![], vec![1, 2]));
}

#[test]
fn nodes_that_should_not_run_and_interrupted_ones_stay_as_they_are() {
    let mut starting = down(3);
    edit(&mut starting, |n| {
        n.transition = Some(under_way(TransitionKind::Starting, false, Seconds(60)))
    });
    let mut settling = down(4);
    edit(&mut settling, |n| {
        n.transition = Some(Transition {
            kind: TransitionKind::Starting,
            since: NOW,
            acted: true,
        })
    });
    let nodes = [stopped(1, Actor::Operator), starting, settling];
    let plan = decide(&colony(nodes, [ContainerState::Stopped; 2]));
    assert_eq!((ensured(&plan), restarted(&plan)), (vec![A1, A2], vec![4]));
}

#[test]
fn after_a_reboot_containers_and_their_nodes_come_back_at_once() {
    let mut snapshot = colony(
        [down(1)],
        [ContainerState::Stopped, ContainerState::Running],
    );
    snapshot.rebooted = true;
    let plan = decide(&snapshot);
    assert_eq!(plan.kind, PlanKind::Rebooted);
    assert_eq!((ensured(&plan), restarted(&plan)), (vec![A1], vec![1]));
}

#[test]
fn a_silent_supervisor_and_an_unknown_container_lead_to_no_act() {
    let mut snapshot = colony(
        [down(1)],
        [ContainerState::Unknown, ContainerState::Running],
    );
    snapshot.machine.node_cap = 1;
    snapshot.containers[0].said = Some("is paused".to_owned());
    let plan = decide(&snapshot);
    assert_eq!((ensured(&plan), restarted(&plan)), (vec![], vec![]));
    let held: Vec<String> = plan.held_back.iter().map(Reason::to_string).collect();
    let paused = "not ensuring a container: container a1 is paused";
    assert!(held.iter().any(|reason| reason == paused), "{held:?}");
    snapshot.containers[0].state = ContainerState::Missing;
    snapshot.supervisor = SupervisorState::Silent("away".to_owned());
    let plan = decide(&snapshot);
    assert_eq!((plan.steps, plan.machine_steps), (vec![], vec![]));
}

#[test]
fn an_added_node_needs_its_container_even_if_nobody_saw_it() {
    let mut snapshot = colony([], [ContainerState::Running; 2]);
    snapshot.containers.clear();
    let plan = decide(&snapshot);
    assert_eq!(ensured(&plan), [A1]);
    assert_eq!(
        plan.machine_steps[0].reason.to_string(),
        "it is missing, 1 node to be added"
    );
    snapshot.machine.node_cap = 0;
    assert_eq!(ensured(&decide(&snapshot)), []);
}

#[test]
fn the_least_number_of_containers_runs_without_nodes() {
    let mut snapshot = colony([], [ContainerState::Missing; 2]);
    snapshot.policy.min_containers = 1;
    snapshot.machine.node_cap = 0;
    snapshot.policy.min_containers = 1;
    let plan = decide(&snapshot);
    assert_eq!((plan.kind, ensured(&plan)), (PlanKind::Act, vec![A1]));
}

#[test]
fn a_node_has_one_step_whatever_else_is_wanted_of_it() {
    let nodes = [down(1), down(2)];
    let snapshot = colony(nodes, [ContainerState::Missing, ContainerState::Running]);
    let request = |action| ForcedRequest {
        action,
        nodes: vec![id(1)],
        count: 1,
    };
    let steps = |action| -> Vec<(u32, Act)> {
        let plan = decide_forced(&snapshot, &request(action)).unwrap();
        plan.steps
            .iter()
            .map(|step| (step.node.get(), step.act))
            .collect()
    };
    let start = |upgrade_first| Act::Start { upgrade_first };
    assert_eq!(
        steps(ForcedAction::Stop),
        [(1, Act::Stop), (2, start(false))]
    );
    assert_eq!(
        steps(ForcedAction::Upgrade),
        [(1, start(true)), (2, start(false))]
    );
    assert_eq!(
        steps(ForcedAction::Remove),
        [(1, Act::Remove), (2, start(false))]
    );
}

#[test]
fn a_snapshot_without_containers_reads() {
    let snapshot = colony([node(1)], [ContainerState::Running; 2]);
    let mut json = serde_json::to_value(&snapshot).unwrap();
    assert_eq!(
        json["containers"][0],
        serde_json::json!({"id": 1, "state": "running"})
    );
    json.as_object_mut().unwrap().remove("containers");
    let old: Snapshot = serde_json::from_value(json).unwrap();
    assert_eq!(old.containers, []);
}
