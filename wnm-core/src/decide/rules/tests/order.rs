//! What comes before the rules, and which rule comes first.

use super::{acts, assert_held, held, limits, steps, wanted, with_step};
use crate::decide::{PlanKind, decide};
use crate::node::{Actor, DesiredState, ObservedState, TransitionKind};
use crate::snapshot::{Snapshot, SupervisorState};
use crate::testing::{edit, node, percent, seen, snapshot, snapshot_of, stopped};

/// A machine on which every rule has something to do.
fn much_to_do() -> Snapshot {
    let mut snapshot = snapshot_of([
        node(1),
        seen(2, ObservedState::Dead),
        seen(3, ObservedState::Stopped),
        stopped(4, Actor::Wnm),
        wanted(node(5), DesiredState::Stopped, Actor::Wnm, 60),
        with_step(node(6), TransitionKind::Starting, false, 60),
        wanted(
            with_step(node(7), TransitionKind::Removing, true, 301),
            DesiredState::Absent,
            Actor::Wnm,
            301,
        ),
    ]);
    edit(&mut snapshot.nodes[6], |n| {
        n.observed.state = ObservedState::Stopped
    });
    snapshot.load.memory = percent(80.0);
    limits(&mut snapshot, 9, 9);
    snapshot
}

#[test]
fn a_silent_supervisor_stops_everything_even_the_forgetting() {
    let mut snapshot = much_to_do();
    snapshot.supervisor = SupervisorState::Silent("no bus".to_owned());
    assert_eq!(decide(&snapshot).kind, PlanKind::Idle);
    assert!(acts(&snapshot).is_empty());
    assert_eq!(
        held(&snapshot),
        ["not acting: the supervisor does not answer: no bus"]
    );
}

#[test]
fn after_a_reboot_a_cycle_only_looks_and_forgets() {
    let mut snapshot = much_to_do();
    snapshot.rebooted = true;
    assert_eq!(decide(&snapshot).kind, PlanKind::Rebooted);
    assert_eq!(steps(&snapshot), ["forget 7 (97): removed 5 min ago"]);
    assert_held(
        &snapshot,
        "not acting: the machine came up anew, this cycle only looks",
    );
}

#[test]
fn steps_come_in_order_of_rank_and_dead_nodes_keep_the_rest_waiting() {
    let mut snapshot = much_to_do();
    assert_eq!(
        steps(&snapshot),
        [
            "forget 7 (97): removed 5 min ago",
            "resume 6 (95): starting was interrupted",
            "remove 2 (90): its directory is gone",
        ]
    );
    snapshot.nodes.remove(1);
    assert_eq!(
        steps(&snapshot),
        [
            "forget 7 (97): removed 5 min ago",
            "resume 6 (95): starting was interrupted",
            "stop 5 (92): stopped by wnm 60 s ago, but runs",
        ]
    );
    assert_held(&snapshot, "not stopping: stopping goes first");
    snapshot.nodes.remove(3);
    assert_eq!(acts(&snapshot)[2..], ["stop 1"]);
}

#[test]
fn an_empty_machine_that_may_have_no_nodes_says_so() {
    let mut snapshot = snapshot();
    snapshot.machine.node_cap = 0;
    assert_eq!(decide(&snapshot).kind, PlanKind::NoNodes);
    assert_held(&snapshot, "not adding: 0 nodes ≥ cap 0");
    snapshot.nodes.push(stopped(1, Actor::Operator));
    snapshot.machine.node_cap = 1;
    assert_eq!(decide(&snapshot).kind, PlanKind::Idle);
}

#[test]
fn at_global_capacity_nothing_new_begins() {
    use TransitionKind::{Adding, Removing, Starting, Stopping, Upgrading};
    for (kind, acted) in [
        (Adding, true),
        (Starting, true),
        (Upgrading, true),
        (Removing, true),
        (Adding, false),
        (Stopping, false),
    ] {
        let mut snapshot = snapshot_of([node(1), with_step(node(2), kind, acted, 60)]);
        snapshot.load.memory = percent(80.0);
        assert!(
            acts(&snapshot).iter().all(|act| act == "resume 2"),
            "{kind}"
        );
        assert_held(&snapshot, "not acting: 1 of at most 1 operations under way");
    }
    // A stop that is done has no delay of its own.
    let stopping = with_step(stopped(2, Actor::Wnm), Stopping, true, 1);
    let mut snapshot = snapshot_of([node(1), stopping]);
    snapshot.load.memory = percent(80.0);
    assert_eq!(acts(&snapshot), ["stop 1"]);
}

#[test]
fn unknown_nodes_are_left_alone_and_counted() {
    let mut unseen = seen(2, ObservedState::Unknown);
    let mut snapshot = snapshot_of([node(1), unseen.clone()]);
    snapshot.machine.node_cap = 2;
    assert!(acts(&snapshot).is_empty());
    assert_held(&snapshot, "not adding: 2 nodes ≥ cap 2");
    assert_held(&snapshot, "not acting: node 2: the supervisor did not say");

    // Not even for the cap, the disk, or because a step was left in the middle.
    snapshot.machine.node_cap = 0;
    snapshot.nodes.remove(0);
    assert!(acts(&snapshot).is_empty());
    assert_held(&snapshot, "not removing: no node for it");
    unseen = with_step(unseen, TransitionKind::Removing, false, 60);
    assert!(acts(&snapshot_of([unseen.clone()])).is_empty());
    assert_held(
        &snapshot_of([unseen]),
        "not resuming: node 2: the supervisor did not say",
    );
}

#[test]
fn a_lost_node_in_the_middle_of_a_step_does_not_hold_the_machine_for_ever() {
    let lost = |ago| {
        let unseen = seen(2, ObservedState::Unknown);
        let mut snapshot = snapshot_of([
            node(1),
            with_step(unseen, TransitionKind::Starting, false, ago),
        ]);
        snapshot.load.disk = percent(95.0);
        snapshot
    };
    assert!(acts(&lost(3599)).is_empty());
    assert_eq!(acts(&lost(3600)), ["remove 1"]);
}

#[test]
fn disabled_nodes_are_left_alone_and_counted() {
    for state in [
        ObservedState::Running,
        ObservedState::Stopped,
        ObservedState::Dead,
    ] {
        let disabled = wanted(seen(1, state), DesiredState::Disabled, Actor::Operator, 60);
        let mut snapshot = snapshot_of([disabled]);
        snapshot.machine.node_cap = 1;
        assert!(acts(&snapshot).is_empty(), "{state}");
        snapshot.load.disk = percent(95.0);
        assert!(acts(&snapshot).is_empty(), "{state}");
        snapshot.machine.node_cap = 0;
        assert!(acts(&snapshot).is_empty(), "{state}");
    }
    let disabling = wanted(
        with_step(node(1), TransitionKind::Stopping, false, 60),
        DesiredState::Disabled,
        Actor::Operator,
        60,
    );
    assert_eq!(acts(&snapshot_of([disabling])), ["resume 1"]);
}
