//! The program killed in the middle of its work with launchd: cycles go on from there and end with the step done,
//! and with no job, file, process, directory or row left of half of one.
#![cfg(not(target_os = "macos"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod stage;

use std::collections::BTreeSet;

use stage::{NEW, OLD, Stage, State};
use wnm_tests::fault_points;

/// The points of the manager under test.
const OWN: &str = "launchd.";

/// Something that a person makes the program do with node 2.
struct Operation {
    name: &'static str,
    /// What follows `--force-action`. `{}` stands for a number that was never there before.
    words: &'static [&'static str],
    before: State,
    after: State,
}

const OPERATIONS: [Operation; 7] = [
    Operation {
        name: "add",
        words: &["add"],
        before: State::Gone,
        after: State::Running(NEW),
    },
    Operation {
        name: "start",
        words: &["start", "--service-name=0002"],
        before: State::Stopped(NEW),
        after: State::Running(NEW),
    },
    Operation {
        name: "start with changed settings",
        words: &[
            "start",
            "--service-name=0002",
            "--start-args=--log-format {}",
        ],
        before: State::Stopped(NEW),
        after: State::Running(NEW),
    },
    Operation {
        name: "stop",
        words: &["stop", "--service-name=0002"],
        before: State::Running(NEW),
        after: State::Stopped(NEW),
    },
    Operation {
        name: "upgrade",
        words: &["upgrade", "--service-name=0002"],
        before: State::Running(OLD),
        after: State::Running(NEW),
    },
    Operation {
        name: "upgrade with changed settings",
        words: &[
            "upgrade",
            "--service-name=0002",
            "--start-args=--log-format {}",
        ],
        before: State::Running(OLD),
        after: State::Running(NEW),
    },
    Operation {
        name: "remove",
        words: &["remove", "--service-name=0002"],
        before: State::Running(NEW),
        after: State::Gone,
    },
];

/// Kills the program in some of the operations at every point that they come by.
fn killed_in(operations: &[Operation]) -> BTreeSet<String> {
    let mut stage = Stage::up();
    let mut reached = BTreeSet::new();
    for operation in operations {
        stage.bring(operation.before);
        let points = stage.trace(operation.words);
        stage.settle();
        stage.seat.check_agreement();
        assert_eq!(stage.state(), operation.after, "{}", operation.name);
        for point in points.iter().filter(|point| point.starts_with(OWN)) {
            eprintln!("{} killed at {point}", operation.name);
            stage.bring(operation.before);
            let before = stage.bystander();
            stage.kill_at(operation.words, point);
            stage.settle();
            stage.seat.check_agreement();
            let end = stage.state();
            assert_eq!(end, operation.after, "{} killed at {point}", operation.name);
            assert_eq!(stage.bystander(), before, "another node was touched");
            reached.insert(point.clone());
        }
    }
    reached
}

#[test]
fn nodes_survive_a_killed_program() {
    // Most of the time is spent waiting, so both halves go on at once.
    let (first, second) = OPERATIONS.split_at(4);
    let reached = std::thread::scope(|scope| {
        let halves = [first, second].map(|half| scope.spawn(move || killed_in(half)));
        let reached = halves.map(|half| half.join().unwrap());
        reached.into_iter().flatten().collect::<BTreeSet<String>>()
    });
    let listed = fault_points::POINTS
        .iter()
        .filter(|point| point.starts_with(OWN));
    assert_eq!(reached, listed.map(ToString::to_string).collect());
}

#[test]
fn a_teardown_is_completed_by_the_cycles_that_follow() {
    let mut stage = Stage::up();
    stage.bring(State::Running(NEW));
    let points = stage.trace(&["teardown", "--confirm"]);
    stage.seat.assert_nothing_left();
    for point in points.iter().filter(|point| point.starts_with(OWN)) {
        eprintln!("teardown killed at {point}");
        stage.bring(State::Running(NEW));
        stage.kill_at(&["teardown", "--confirm"], point);
        stage.settle();
        stage.seat.check_agreement();
        stage.seat.assert_nothing_left();
    }
}
