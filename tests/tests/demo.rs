//! `wnm demo`: it runs to its end, or ends when it is interrupted, and leaves nothing behind either way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use nix::sys::signal::Signal;
use wnm_tests::colony::Colony;
use wnm_tests::wait;

/// Half a minute on an idle machine.
const DEMO: Duration = Duration::from_secs(240);

#[test]
fn the_demo_shows_all_scenes_and_leaves_nothing_behind() {
    let colony = Colony::new();
    let played = colony.wnm(["demo"]).within(DEMO).run().succeeded();
    for act in ["add ", "start ", "upgrade ", "stop "] {
        assert!(played.stdout.contains(act), "no {act}in\n{}", played.stdout);
    }
    assert_empty(&colony);
}

#[test]
fn an_interrupted_demo_leaves_nothing_behind() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let colony = Colony::new();
        let demo = colony.wnm(["demo"]).within(DEMO).spawn();
        wait::until(wait::LONG, "nodes of the demo", || {
            colony.processes().len() >= 2
        });
        demo.end_with(signal).succeeded();
        assert_empty(&colony);
    }
}

fn assert_empty(colony: &Colony) {
    assert_eq!(colony.processes(), []);
    let left: Vec<_> = std::fs::read_dir(colony.temporary())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
