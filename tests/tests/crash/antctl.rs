//! Services of the real antctl, with real node programs. Node 1 is a bystander.

use std::collections::BTreeSet;

use wnm_tests::antctl::AntctlFixture;

use crate::kill;
use crate::operation::{ADD, Operation, REMOVE, START, STOP, State, UPGRADE};
use crate::test_colony::TestColony;

/// The manager's own points.
fn selected(point: &str) -> bool {
    point.starts_with("antctl.")
}

/// The same, and those between the calls of an add.
fn selected_in_an_add(point: &str) -> bool {
    selected(point) || ["act.after-intent", "act.add.added"].contains(&point)
}

fn empty_colony() -> Option<TestColony<'static>> {
    AntctlFixture::up().map(TestColony::new)
}

/// Kills the program in some operations, which between them reach these points of the manager.
fn killed_in(operations: &[Operation], expected: &[&str]) {
    let Some(colony) = empty_colony() else { return };
    colony.grow(1);
    let reached: BTreeSet<String> = operations
        .iter()
        .flat_map(|operation| {
            let selected = match operation.before {
                State::Gone => selected_in_an_add,
                _ => selected,
            };
            kill::at_every_point(&colony, operation, selected, 1)
        })
        .filter(|point| selected(point))
        .collect();
    assert_eq!(Vec::from_iter(reached), expected);
    colony.tear_down();
}

#[test]
fn nodes_survive_a_program_killed_in_an_add_or_an_upgrade() {
    let expected = [
        "antctl.add.called",
        "antctl.start.called",
        "antctl.upgrade.called",
        "antctl.upgrade.kept",
    ];
    killed_in(&[ADD.on(&[2]), UPGRADE.on(&[2])], &expected);
}

#[test]
fn nodes_survive_a_program_killed_in_a_start_a_stop_or_a_remove() {
    let expected = [
        "antctl.remove.called",
        "antctl.start.called",
        "antctl.stop.called",
    ];
    let operations = [START.on(&[2]), STOP.on(&[2]), REMOVE.on(&[2])];
    killed_in(&operations, &expected);
}

#[test]
fn cycles_complete_a_killed_teardown() {
    let Some(colony) = empty_colony() else { return };
    kill::teardown_at_every_point(&colony, 1, selected);
}
