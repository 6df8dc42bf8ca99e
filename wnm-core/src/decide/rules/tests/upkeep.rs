//! Ends of removals, interrupted steps, dead nodes, drift.

use super::{acts, assert_held, limits, steps, wanted, with_step};
use crate::node::{Actor, DesiredState, Node, ObservedState, TransitionKind};
use crate::testing::{node, seen, snapshot_of, stopped};

fn removed(number: u32, state: ObservedState, ago: u64) -> Node {
    let node = wanted(
        seen(number, state),
        DesiredState::Absent,
        Actor::Wnm,
        ago.cast_signed(),
    );
    with_step(node, TransitionKind::Removing, true, ago)
}

#[test]
fn a_removal_counts_until_its_delay_is_over_and_then_no_more() {
    let gone = ObservedState::Stopped;
    let mut snapshot = snapshot_of([node(1), removed(2, gone, 299)]);
    assert!(acts(&snapshot).is_empty());
    // Forgotten in this plan, it is in nobody's way in the same plan; only its number is still taken.
    snapshot.nodes[1] = removed(2, gone, 300);
    assert_eq!(acts(&snapshot), ["forget 2", "add 3"]);
    snapshot.nodes[1] = removed(2, ObservedState::Unknown, 300);
    assert_eq!(acts(&snapshot), ["forget 2", "add 3"]);
}

#[test]
fn what_runs_after_its_removal_is_removed_again_and_not_forgotten() {
    let snapshot = snapshot_of([removed(2, ObservedState::Running, 300)]);
    assert_eq!(
        steps(&snapshot),
        ["remove 2 (92): removed 5 min ago, still there"]
    );
    let wanted = wanted(node(2), DesiredState::Absent, Actor::Operator, 60);
    assert_eq!(acts(&snapshot_of([wanted])), ["remove 2"]);
}

#[test]
fn interrupted_steps_are_taken_up_beyond_any_limit() {
    use TransitionKind::{Adding, Removing, Starting, Stopping, Upgrading};
    let kinds = [Upgrading, Stopping, Starting, Removing, Adding];
    let interrupted = (1..)
        .zip(kinds)
        .map(|(n, kind)| with_step(node(n), kind, false, 60));
    let snapshot = snapshot_of(interrupted);
    assert_eq!(
        steps(&snapshot),
        [
            "resume 1 (95): upgrading was interrupted",
            "resume 2 (95): stopping was interrupted",
            "resume 3 (95): starting was interrupted",
            "resume 4 (95): removing was interrupted",
            "resume 5 (95): adding was interrupted",
        ]
    );
    assert_held(&snapshot, "not acting: 5 of at most 1 operations under way");
}

#[test]
fn dead_nodes_go_all_at_once_and_alone() {
    let mut snapshot = snapshot_of([
        seen(3, ObservedState::Dead),
        node(1),
        seen(2, ObservedState::Dead),
    ]);
    assert_eq!(
        steps(&snapshot),
        [
            "remove 2 (90): its directory is gone",
            "remove 3 (90): its directory is gone",
        ]
    );
    assert_held(&snapshot, "not acting: removing goes first");
    // A node that is being added has no directory yet.
    snapshot.nodes[0] = with_step(
        seen(3, ObservedState::Dead),
        TransitionKind::Adding,
        false,
        9,
    );
    assert_eq!(acts(&snapshot), ["resume 3", "remove 2"]);
}

#[test]
fn a_stopped_node_that_runs_is_stopped_again_within_the_limits() {
    let drifted = |n, by| wanted(node(n), DesiredState::Stopped, by, 7200);
    let mut snapshot = snapshot_of([drifted(1, Actor::Wnm), drifted(2, Actor::Operator)]);
    assert_eq!(
        steps(&snapshot),
        ["stop 1 (92): stopped by wnm 2 h ago, but runs"]
    );
    assert_held(
        &snapshot,
        "not stopping: 1 of at most 1 operations under way",
    );
    limits(&mut snapshot, 5, 5);
    assert_eq!(acts(&snapshot), ["stop 1", "stop 2"]);
    assert_held(&snapshot, "not adding: stopping goes first");
    snapshot.machine.limits.removals = 0;
    assert_held(&snapshot, "not stopping: 0 of at most 0 removals under way");
    assert!(!acts(&snapshot).iter().any(|act| act.starts_with("stop")));
}

#[test]
fn a_node_that_was_only_found_stopped_may_run() {
    let found = wanted(node(1), DesiredState::Stopped, Actor::Found, 60);
    assert_eq!(acts(&snapshot_of([found])), ["add 2"]);
    assert_eq!(acts(&snapshot_of([stopped(1, Actor::Found)])), ["start 1"]);
}
