//! The engine goes away and comes back.

use std::time::Duration;

use wnm_tests::colony::Colony;
use wnm_tests::engine::{Suite, with_engine};
use wnm_tests::wait::{LONG, until};

use crate::statuses;

#[test]
fn nothing_is_done_to_nodes_while_the_engine_is_away() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = Colony::new();
        let program = colony.program("0.4.17");
        let _ = engine.init(&colony, &program, 4, &["--node-cap=8"]);
        let add = ["--force-action=add", "--count=6"];
        let _ = engine.wnm(&colony, &add).run().succeeded();
        let _ = engine
            .wnm(&colony, &["--force-action=survey"])
            .run()
            .succeeded();
        assert_eq!(statuses(&colony), ["RUNNING"; 6]);
        let desired = || {
            colony
                .database()
                .rows(&["desired", "transition"], "node ORDER BY id")
        };
        let before = desired();

        engine.stop();
        let told = engine
            .wnm(&colony, &["--json"])
            .run()
            .succeeded()
            .last_json();
        assert_eq!(told["steps"].as_array().map(Vec::len), Some(0), "{told}");
        assert_eq!(statuses(&colony), ["UNKNOWN"; 6]);
        assert_eq!(desired(), before);
        for act in ["stop", "remove", "upgrade", "add"] {
            let force = format!("--force-action={act}");
            let refused = engine.wnm(&colony, &[&force]).run().refused();
            assert!(
                refused.stderr.contains("does not answer"),
                "{}",
                refused.stderr
            );
        }
        // A teardown that could not be done leaves what it was about.
        let teardown = ["--force-action=teardown", "--confirm"];
        let _ = engine.wnm(&colony, &["--dry-run"]).run().succeeded();
        assert_eq!(colony.node_dirs().len(), 6);

        engine.start();
        until(LONG, "all nodes to run again", || {
            let _ = engine.wnm(&colony, &["--node-cap=6"]).run().succeeded();
            statuses(&colony) == ["RUNNING"; 6]
        });
        let _ = engine.wnm(&colony, &teardown).run().succeeded();
        colony.assert_nothing_left();
    });
}

#[test]
fn an_engine_that_goes_away_in_the_middle_leaves_steps_to_be_taken_again() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = Colony::new();
        let program = colony.program("0.4.17");
        let _ = engine.init(&colony, &program, 30, &["--min-container-count=2"]);
        let _ = engine.wnm(&colony, &["--node-cap=0"]).run().succeeded();
        let add = [
            "--json",
            "--node-cap=60",
            "--force-action=add",
            "--count=60",
        ];
        let adding = engine
            .wnm(&colony, &add)
            .within(Duration::from_secs(600))
            .spawn();
        until(LONG, "the first nodes to be on record", || {
            colony.database().nodes().len() >= 30
        });
        engine.stop();
        // What came of it is for the record to say: it may have been done just before.
        let _ = adding.finish();
        let _ = engine
            .wnm(&colony, &["--json", "--force-action=survey"])
            .run();
        assert_eq!(colony.database().nodes().len(), 60, "no row was lost");
        engine.start();
        until(LONG, "all nodes to run", || {
            let _ = engine
                .wnm(&colony, &["--json"])
                .within(LONG * 5)
                .run()
                .succeeded();
            statuses(&colony) == ["RUNNING"; 60]
        });
        let teardown = ["--force-action=teardown", "--confirm"];
        let _ = engine.wnm(&colony, &teardown).run().succeeded();
        assert!(engine.containers().is_empty());
        colony.assert_nothing_left();
    });
}
