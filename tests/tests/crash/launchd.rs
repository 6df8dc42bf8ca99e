//! Jobs of the fake launchd. Node 1 is a bystander.

use std::collections::BTreeSet;

use wnm_tests::launchd::LaunchdFixture;

use crate::kill;
use crate::operation::{ADD, Operation, REMOVE, START, STOP, UPGRADE};
use crate::test_colony::TestColony;

const CHANGED: &[&str] = &["--start-args=--log-format {}"];

const OPERATIONS: [Operation; 7] = [
    ADD.on(&[2]),
    START.on(&[2]),
    START
        .on(&[2])
        .with_options("start with changed settings", CHANGED),
    STOP.on(&[2]),
    UPGRADE.on(&[2]),
    UPGRADE
        .on(&[2])
        .with_options("upgrade with changed settings", CHANGED),
    REMOVE.on(&[2]),
];

fn selected(point: &str) -> bool {
    point.starts_with("launchd.")
}

fn empty_colony() -> TestColony<'static> {
    TestColony::new(LaunchdFixture::up().expect("there is a launchd"))
}

#[test]
fn nodes_survive_a_killed_program() {
    let killed_in = |operations: &[Operation]| -> BTreeSet<String> {
        let colony = empty_colony();
        colony.grow(1);
        let operations = operations.iter();
        operations
            .flat_map(|operation| kill::at_every_point(&colony, operation, selected, 1))
            .collect()
    };
    // Most of the time is spent waiting, so both halves run at once.
    let (first, second) = OPERATIONS.split_at(4);
    let reached = std::thread::scope(|scope| {
        let second = scope.spawn(|| killed_in(second));
        let mut reached = killed_in(first);
        reached.append(&mut second.join().unwrap());
        reached
    });
    kill::assert_all_reached(&reached, selected);
}

#[test]
fn cycles_complete_a_killed_teardown() {
    kill::teardown_at_every_point(&empty_colony(), 2, selected);
}
