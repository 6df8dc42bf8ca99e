//! The program killed in the middle of its work with a real systemd: cycles go on from there and end with the
//! step done, and with no unit, link, process, directory or row left of half of one.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod check;
mod stage;

use std::collections::BTreeSet;

use wnm_tests::systemd::As;

use stage::{NEW, OLD, Stage, State};
use wnm_tests::fault_points;

/// The points of the manager under test.
const OWN: &str = "systemd.";

/// Nothing of the step is on record here: it is not done, but the settings that came with it hold.
const NOT_BEGUN: &str = "systemd.slice.written";

/// Something that a person makes the program do with node 2.
struct Operation {
    name: &'static str,
    /// What follows `--force-action`. `{}` stands for a number that was never there before.
    words: &'static [&'static str],
    before: State,
    after: State,
}

const OPERATIONS: [Operation; 6] = [
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
            "--fleet-memory-max={}G",
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
        name: "remove",
        words: &["remove", "--service-name=0002"],
        before: State::Running(NEW),
        after: State::Gone,
    },
];

fn killed_everywhere(who: As) {
    let Some(mut stage) = Stage::up(who) else {
        return;
    };
    let mut reached = BTreeSet::new();
    for operation in &OPERATIONS {
        stage.bring(operation.before);
        let points = stage.trace(operation.words);
        stage.settle();
        stage.check();
        for point in points.iter().filter(|point| point.starts_with(OWN)) {
            eprintln!("{} killed at {point}", operation.name);
            stage.bring(operation.before);
            let before = stage.bystander();
            stage.kill_at(operation.words, point);
            stage.settle();
            stage.check();
            let end = match point.as_str() {
                NOT_BEGUN => operation.before,
                _ => operation.after,
            };
            assert_eq!(stage.state(), end, "{} killed at {point}", operation.name);
            assert_eq!(stage.bystander(), before, "another node was touched");
            reached.insert(point.clone());
        }
    }

    stage.bring(State::Running(NEW));
    let points = stage.trace(&["teardown", "--confirm"]);
    for point in points.iter().filter(|point| point.starts_with(OWN)) {
        eprintln!("teardown killed at {point}");
        stage.bring(State::Running(NEW));
        stage.kill_at(&["teardown", "--confirm"], point);
        stage.settle();
        stage.check();
        stage.assert_nothing_left();
    }

    // The first node brings the slice.
    const FIRST: &str = "systemd.add.slice";
    stage.kill_at(&["add"], FIRST);
    stage.settle();
    stage.check();
    assert_eq!(stage.inside.statuses(), ["RUNNING"]);
    reached.insert(FIRST.to_owned());
    let listed = fault_points::POINTS
        .iter()
        .filter(|point| point.starts_with(OWN));
    assert_eq!(reached, listed.map(ToString::to_string).collect());
}

#[test]
fn a_user_s_nodes_survive_a_killed_program() {
    killed_everywhere(As::Ann);
}

#[test]
fn the_machine_s_nodes_survive_a_killed_program() {
    killed_everywhere(As::Root);
}
