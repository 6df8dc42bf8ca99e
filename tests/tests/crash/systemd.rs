//! Units of a real systemd. Node 1 is a bystander.

use std::collections::BTreeSet;

use wnm_tests::systemd::{As, Machine};

use crate::kill;
use crate::operation::{ADD, NEW, Operation, REMOVE, START, STOP, State, UPGRADE};
use crate::test_colony::TestColony;

const OPERATIONS: [Operation; 6] = [
    ADD.on(&[2]),
    START.on(&[2]),
    START.on(&[2]).with_options(
        "start with changed settings",
        &["--start-args=--log-format {}", "--fleet-memory-max={}G"],
    ),
    STOP.on(&[2]),
    UPGRADE.on(&[2]),
    REMOVE.on(&[2]),
];

/// Only the first node of a colony brings the slice.
const FIRST: &str = "systemd.add.slice";

fn selected(point: &str) -> bool {
    point.starts_with("systemd.")
}

fn killed_at_every_point(who: As) {
    let Some(machine) = Machine::up(who) else {
        return;
    };
    let colony = TestColony::new(machine);
    colony.kill_at(colony.add(1), FIRST);
    colony.settle(&[]);
    colony.check();
    assert_eq!(colony.snapshot().state(1), State::Running(NEW));
    let mut reached = BTreeSet::from([FIRST.to_owned()]);
    for operation in &OPERATIONS {
        reached.append(&mut kill::at_every_point(&colony, operation, selected, 1));
    }
    kill::assert_all_reached(&reached, selected);
    colony.tear_down();
    kill::teardown_at_every_point(&colony, 2, selected);
}

#[test]
fn nodes_of_a_user_survive_a_killed_program() {
    killed_at_every_point(As::Ann);
}

#[test]
fn nodes_of_the_machine_survive_a_killed_program() {
    killed_at_every_point(As::Root);
}
