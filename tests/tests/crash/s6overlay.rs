//! Services of s6 in containers of a real engine. Node 1 is a bystander.

use std::collections::BTreeSet;

use wnm_tests::backend::S6Fixture;
use wnm_tests::engine::{Suite, with_engine};
use wnm_tests::fault_points;

use crate::kill;
use crate::operation::{ADD, Operation, REMOVE, START, STOP, UPGRADE};
use crate::test_colony::TestColony;

const BOTH: &[u32] = &[2, 3];

const OPERATIONS: [Operation; 5] = [
    STOP.on(BOTH),
    START.on(&[3]),
    UPGRADE.on(&[3]),
    REMOVE.on(BOTH),
    ADD.on(BOTH),
];

/// The manager's own points, and those that the steps of a batch share.
fn selected(point: &str) -> bool {
    let of_a_batch = [
        "act.before-intent",
        "act.after-intent",
        "act.before-outcome",
        "act.after-outcome",
    ];
    point.starts_with("s6overlay.") || of_a_batch.contains(&point)
}

/// Only the first node of a container brings it.
fn brings_a_container(point: &str) -> bool {
    point.starts_with("s6overlay.container.")
}

#[test]
fn nodes_survive_a_killed_program() {
    with_engine(Suite::Bookworm, |engine| {
        let place = std::env::temp_dir();
        let colony = TestColony::new(S6Fixture::below(&place, engine));
        let mut reached = BTreeSet::new();
        for point in fault_points::POINTS.iter() {
            if brings_a_container(point) {
                colony.kill_at(colony.add(1), point);
                reached.insert((*point).to_owned());
            }
        }
        colony.grow(3);
        colony.check();
        for operation in &OPERATIONS {
            reached.append(&mut kill::at_every_point(&colony, operation, selected, 1));
        }
        kill::assert_all_reached(&reached, selected);
        colony.tear_down();
    });
}
