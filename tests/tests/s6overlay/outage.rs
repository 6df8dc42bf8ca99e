//! The engine stops and comes back.

use std::time::Duration;

use wnm_tests::engine::{Suite, with_engine};
use wnm_tests::wait::{LONG, until};

use crate::{empty_colony, statuses};

#[test]
fn no_node_is_touched_while_the_engine_is_down() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = empty_colony(engine, 4, &["--node-cap=8"]);
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
        let report = engine
            .wnm(&colony, &["--json"])
            .run()
            .succeeded()
            .last_json();
        assert_eq!(
            report["steps"].as_array().map(Vec::len),
            Some(0),
            "{report}"
        );
        assert_eq!(statuses(&colony), ["UNKNOWN"; 6]);
        assert_eq!(desired(), before);
        for act in ["stop", "remove", "upgrade", "add"] {
            let force = format!("--force-action={act}");
            let refused = engine.wnm(&colony, &[&force]).run().refused();
            refused.assert_stderr_contains("does not answer");
        }
        // A teardown that failed keeps the records.
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
fn steps_are_retried_after_the_engine_stopped_in_the_middle() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = empty_colony(engine, 30, &["--min-container-count=2"]);
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
        // The record says what happened: the step may have been done just before.
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
