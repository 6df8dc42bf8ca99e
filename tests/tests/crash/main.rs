//! The program killed in the middle of things, on real processes: whatever moment it died at, cycles go on from
//! there and end with the step done or not begun, and never with a part of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod check;
mod look;
mod moments;
mod operation;
mod stage;

use std::collections::BTreeSet;

use operation::{ADD, OPERATIONS, Operation, REMOVE, START, START_OUTDATED, STOP, UPGRADE};
use stage::Stage;
use wnm_tests::fault_points;

/// Where nothing of a step is on record yet. From the next point on it is, and the step is to be done.
const NOT_BEGUN: &str = "act.before-intent";

/// A process can die, and the one that takes up its work at the same point again.
const DEATHS: [usize; 2] = [1, 2];

#[test]
fn every_point_lies_in_the_way_of_some_operation() {
    let stage = Stage::with_nodes(3);
    let mut reached = BTreeSet::new();
    for operation in OPERATIONS {
        stage.bring(operation.node, operation.before);
        reached.extend(stage.trace(stage.call(operation)));
        stage.settle(operation);
        stage.check();
    }
    // Those of another manager are not in the way of this one.
    let listed = fault_points::POINTS.iter().filter(|point| {
        !["systemd.", "launchd.", "antctl.", "s6overlay."]
            .iter()
            .any(|own| point.starts_with(own))
    });
    let listed: BTreeSet<String> = listed.map(ToString::to_string).collect();
    assert_eq!(reached, listed);
    stage.tear_down();
}

#[test]
fn add_is_done_or_not_begun() {
    killed_everywhere(&ADD);
}

#[test]
fn start_is_done_or_not_begun() {
    killed_everywhere(&START);
}

#[test]
fn start_with_an_upgrade_is_done_or_not_begun() {
    killed_everywhere(&START_OUTDATED);
}

#[test]
fn stop_is_done_or_not_begun() {
    killed_everywhere(&STOP);
}

#[test]
fn upgrade_is_done_or_not_begun() {
    killed_everywhere(&UPGRADE);
}

#[test]
fn remove_is_done_or_not_begun() {
    killed_everywhere(&REMOVE);
}

#[test]
fn a_teardown_is_completed_by_the_cycles_that_follow() {
    let stage = Stage::with_nodes(3);
    let points = stage.trace(stage.teardown());
    assert!(points.contains("setsid.remove.data"), "{points:?}");
    for point in &points {
        eprintln!("teardown killed at {point}");
        let _added = stage.add(3).run().succeeded();
        stage.kill_at(stage.teardown(), point);
        stage.settle_with(&[]);
        stage.check();
        stage.colony.assert_nothing_left();
    }
}

/// Dies at each point that the operation comes by: once in one colony and twice in another. Nearly all of the
/// time is spent waiting for nodes to stay up, so both go on at once.
fn killed_everywhere(operation: &Operation) {
    std::thread::scope(|scope| {
        for deaths in DEATHS {
            scope.spawn(move || killed_at_every_point(operation, deaths));
        }
    });
}

fn killed_at_every_point(operation: &Operation, deaths: usize) {
    let stage = Stage::with_nodes(3);
    stage.bring(operation.node, operation.before);
    let points = stage.trace(stage.call(operation));
    assert!(points.contains(NOT_BEGUN), "{points:?}");
    stage.settle(operation);
    for point in &points {
        eprintln!("{} killed at {point}, deaths: {deaths}", operation.name);
        stage.bring(operation.node, operation.before);
        let before = stage.look();
        stage.kill_at(stage.call(operation), point);
        for _ in 1..deaths {
            stage.kill_cycle_at(operation, point);
        }
        stage.settle(operation);
        stage.check();
        let end = match point.as_str() {
            NOT_BEGUN => operation.before,
            _ => operation.after,
        };
        stage
            .look()
            .assert_only_changed(&before, operation.node, end);
    }
    stage.tear_down();
}
