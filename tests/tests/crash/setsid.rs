//! Plain processes, which go through every point that no other manager has for itself. The process that takes up the
//! work dies at the same point again.

use std::collections::BTreeSet;

use wnm_tests::colony::Colony;

use crate::kill;
use crate::operation::{ADD, NEW, OLD, Operation, REMOVE, START, STOP, State, UPGRADE};
use crate::test_colony::TestColony;

const START_OUTDATED: Operation = Operation {
    cycle: &["--enable-upgrade"],
    before: State::Stopped(OLD),
    after: State::Running(NEW),
    ..START.with_options("start of an outdated node", &["--enable-upgrade"])
};

const OPERATIONS: [&Operation; 6] = [
    &ADD.on(&[4]),
    &START.on(&[3]),
    &START_OUTDATED.on(&[3]),
    &STOP.on(&[3]),
    &UPGRADE.on(&[3]),
    &REMOVE.on(&[3]),
];

/// All points but those of another manager.
fn selected(point: &str) -> bool {
    let others = ["systemd.", "launchd.", "antctl.", "s6overlay."];
    !others.iter().any(|prefix| point.starts_with(prefix))
}

/// Kills the program once in one colony and twice in another. Nearly all of the time is spent waiting for nodes to
/// stay up, so both run at once.
fn killed_at_every_point(operation: &Operation) {
    std::thread::scope(|scope| {
        for deaths in [1, 2] {
            scope.spawn(move || {
                let colony = TestColony::with_nodes(Colony::new(), 3);
                let points = kill::at_every_point(&colony, operation, selected, deaths);
                assert!(points.contains("act.before-intent"), "{points:?}");
                colony.tear_down();
            });
        }
    });
}

#[test]
fn some_operation_reaches_every_point() {
    let colony = TestColony::with_nodes(Colony::new(), 3);
    let mut reached = BTreeSet::new();
    for operation in OPERATIONS {
        colony.bring(operation.nodes, operation.before);
        reached.extend(colony.trace(colony.call(operation)));
        colony.settle(operation.cycle);
        colony.check();
    }
    kill::assert_all_reached(&reached, selected);
    colony.tear_down();
}

#[test]
fn a_killed_add_is_finished_or_not_begun() {
    killed_at_every_point(&ADD.on(&[4]));
}

#[test]
fn a_killed_start_is_finished_or_not_begun() {
    killed_at_every_point(&START.on(&[3]));
}

#[test]
fn a_killed_start_with_an_upgrade_is_finished_or_not_begun() {
    killed_at_every_point(&START_OUTDATED.on(&[3]));
}

#[test]
fn a_killed_stop_is_finished_or_not_begun() {
    killed_at_every_point(&STOP.on(&[3]));
}

#[test]
fn a_killed_upgrade_is_finished_or_not_begun() {
    killed_at_every_point(&UPGRADE.on(&[3]));
}

#[test]
fn a_killed_remove_is_finished_or_not_begun() {
    killed_at_every_point(&REMOVE.on(&[3]));
}

#[test]
fn cycles_complete_a_killed_teardown() {
    let colony = TestColony::new(Colony::new());
    kill::teardown_at_every_point(&colony, 3, selected);
}
