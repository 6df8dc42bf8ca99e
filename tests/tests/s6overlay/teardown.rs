//! A teardown removes a colony's containers once its nodes are gone, and no others.

use wnm_tests::colony::Colony;
use wnm_tests::engine::{IMAGE, Suite, with_engine};

#[test]
fn a_teardown_removes_its_containers_and_keeps_foreign_ones() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = Colony::new();
        let program = colony.program("0.4.17");
        // The first container of another colony, with its own name.
        engine.call([
            "create",
            "--name=other",
            "--label=wnm.colony=/elsewhere",
            "--label=wnm.container=1",
            "--label=wnm.network=host",
            IMAGE,
            "sleep",
            "infinity",
        ]);
        let _ = engine.init(&colony, &program, 2, &[]);
        let add = ["--force-action=add", "--count=3"];
        let _ = engine.wnm(&colony, &add).run().succeeded();
        assert_eq!(engine.containers(), ["a1", "a2", "other"]);

        // Two nodes that nobody can stop now.
        engine.call(["pause", "a1"]);
        let teardown = ["--force-action=teardown", "--confirm"];
        let refused = engine.wnm(&colony, &teardown).run().refused();
        refused.assert_stderr_contains("paused");
        assert_eq!(engine.containers(), ["a1", "a2", "other"]);
        assert_eq!(colony.node_dirs(), ["antnode0001", "antnode0002"]);
        engine.call(["unpause", "a1"]);
        let _ = engine.wnm(&colony, &teardown).run().succeeded();
        assert_eq!(engine.containers(), ["other"]);
        colony.assert_nothing_left();
    });
}
