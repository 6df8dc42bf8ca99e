//! The progress bar while many nodes are added.

use wnm_tests::colony::Colony;
use wnm_tests::engine::{Suite, with_engine};

use crate::give_away;

/// Nodes in two containers, in more than one call for each.
const NODES: usize = 120;

/// One state of the bar: the number of nodes that it reports as done, and how much of it is filled.
fn frame(line: &str) -> Option<(usize, usize)> {
    let of = format!("/{NODES}");
    let position = line
        .split_whitespace()
        .find_map(|word| word.strip_suffix(&of))?;
    Some((position.parse().ok()?, line.matches('█').count()))
}

#[test]
fn the_progress_bar_advances_with_the_nodes() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = Colony::new();
        give_away(&colony, 1234, 1235);
        let program = colony.program("0.4.17");
        let _ = engine.init(&colony, &program, 60, &["--min-container-count=2"]);
        let add = ["--force-action=add", "--count=120"];
        let shown = engine
            .wnm(&colony, &add)
            .run_on_terminal()
            .succeeded()
            .stdout;
        // Each frame overwrites the one before.
        let frames: Vec<(usize, usize)> = shown.split('\r').filter_map(frame).collect();
        assert!(frames.is_sorted(), "{frames:?}");
        let on_the_way = frames
            .iter()
            .filter(|(done, filled)| (1..NODES).contains(done) && *filled > 0);
        assert!(on_the_way.count() > 1, "{frames:?} in {shown}");
        assert_eq!(
            frames[0],
            (0, 0),
            "it begins before the first node is there"
        );
        let (first, last) = (frames[0], frames[frames.len() - 1]);
        assert!(first.0 < last.0 && first.1 < last.1, "{frames:?}");
        // The outcome stays.
        let after = shown.rsplit("\u{1b}[2K").next().unwrap_or_default();
        assert!(
            after.trim_start().starts_with("added antnode0001"),
            "{after:?} in {shown:?}"
        );
        assert!(!after.contains('█'), "{after:?}");

        // Programs get no bar, whatever their output is.
        let survey = ["--json", "--force-action=survey"];
        let output = engine.wnm(&colony, &survey).run_on_terminal().succeeded();
        assert_eq!(output.json()["running"], NODES);
        let teardown = ["--force-action=teardown", "--confirm"];
        let _ = engine.wnm(&colony, &teardown).run().succeeded();
        colony.assert_nothing_left();
    });
}
