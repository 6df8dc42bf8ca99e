//! The program killed in an operation, at one fault point after the other.

use std::collections::BTreeSet;

use wnm_tests::fault_points;

use crate::operation::Operation;
use crate::test_colony::TestColony;

/// Where nothing of the operation is on record: it is not done, but settings that came with it hold. From the next
/// point on it is on record, and the cycles that follow finish it.
const NOT_BEGUN: [&str; 2] = ["act.before-intent", "systemd.slice.written"];

/// Whether to kill the program at a point.
pub type Selection = fn(&str) -> bool;

/// Kills the program at each selected point that the operation reaches. The process that takes up its work dies there
/// as well, until there were so many `deaths`. Returns the points.
pub fn at_every_point(
    colony: &TestColony<'_>,
    operation: &Operation,
    selected: Selection,
    deaths: usize,
) -> BTreeSet<String> {
    let Operation { name, nodes, .. } = operation;
    colony.bring(nodes, operation.before);
    let before = colony.snapshot();
    let mut points = colony.trace(colony.call(operation));
    colony.settle(operation.cycle);
    colony.check();
    let undisturbed = colony.snapshot();
    undisturbed.assert_only_changed(before, nodes, operation.after);
    points.retain(|point| selected(point));
    for point in &points {
        eprintln!("{name} killed at {point}, deaths: {deaths}");
        colony.bring(nodes, operation.before);
        let before = colony.snapshot();
        colony.kill_at(colony.call(operation), point);
        for _ in 1..deaths {
            colony.kill_cycle_at(operation, point);
        }
        colony.settle(operation.cycle);
        colony.check();
        let end = if NOT_BEGUN.contains(&point.as_str()) {
            operation.before
        } else {
            operation.after
        };
        colony.snapshot().assert_only_changed(before, nodes, end);
    }
    points
}

/// Kills a teardown of `count` nodes at each selected point. The cycles that follow complete it.
pub fn teardown_at_every_point(colony: &TestColony<'_>, count: u32, selected: Selection) {
    colony.grow(count);
    let mut points = colony.trace(colony.teardown());
    colony.backend.assert_nothing_left();
    points.retain(|point| selected(point));
    assert!(!points.is_empty());
    for point in &points {
        eprintln!("teardown killed at {point}");
        colony.grow(count);
        colony.kill_at(colony.teardown(), point);
        colony.settle(&[]);
        colony.check();
        colony.backend.assert_nothing_left();
    }
}

/// Fails the test unless the program was killed at every selected point there is.
#[track_caller]
pub fn assert_all_reached(reached: &BTreeSet<String>, selected: Selection) {
    let listed = fault_points::POINTS.iter().filter(|point| selected(point));
    let listed: BTreeSet<String> = listed.map(ToString::to_string).collect();
    let reached = reached.iter().filter(|point| selected(point));
    assert_eq!(reached.cloned().collect::<BTreeSet<String>>(), listed);
}
