//! A teardown takes a colony's containers once its nodes are gone, and nobody else's.

use wnm_tests::colony::Colony;
use wnm_tests::engine::{IMAGE, Suite, with_engine};

#[test]
fn containers_go_when_all_nodes_have_and_those_of_others_stay() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = Colony::new();
        let program = colony.program("0.4.17");
        // The first container of another colony, under a name of its own.
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
        assert!(refused.stderr.contains("paused"), "{}", refused.stderr);
        assert_eq!(engine.containers(), ["a1", "a2", "other"]);
        assert_eq!(colony.node_dirs(), ["antnode0001", "antnode0002"]);
        engine.call(["unpause", "a1"]);
        let _ = engine.wnm(&colony, &teardown).run().succeeded();
        assert_eq!(engine.containers(), ["other"]);
        colony.assert_nothing_left();
    });
}
