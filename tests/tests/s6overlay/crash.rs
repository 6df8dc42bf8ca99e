//! wnm is killed between any two moves of an act in containers, and the next cycles go on from there.

use std::collections::BTreeSet;
use std::path::PathBuf;

use wnm_core::fault;
use wnm_tests::call::Call;
use wnm_tests::colony::Colony;
use wnm_tests::engine::{Engine, Suite, with_engine};
use wnm_tests::wait::{LONG, until};

use crate::statuses;
use wnm_tests::fault_points;

struct Stage<'a> {
    engine: &'a Engine,
    colony: Colony,
    programs: [PathBuf; 2],
}

impl Stage<'_> {
    fn force(&self, words: &[&str]) -> Call {
        let call = self.engine.wnm(&self.colony, &["--json", "--node-cap=3"]);
        call.arg("--force-action").args(words)
    }

    /// Cycles until nothing is under way any more.
    fn settle(&self, expected: &[&str]) {
        until(LONG, format!("the nodes to be {expected:?}"), || {
            let cap = format!("--node-cap={}", expected.len());
            let _ = self.engine.wnm(&self.colony, &["--json", &cap]).run();
            statuses(&self.colony) == expected
        });
        let dirs = self.colony.node_dirs();
        assert_eq!(dirs.len(), expected.len(), "{dirs:?}");
    }
}

/// What is done, what it comes to in the end, how it is undone, and by which points it comes.
struct Act<'a> {
    words: &'a [&'a str],
    after: &'a [&'a str],
    undo: &'a [&'a str],
    points: &'a [&'a str],
}

#[test]
fn every_point_of_an_act_can_be_the_last() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = Colony::new();
        let programs = [colony.program("0.4.16"), colony.program("0.4.17")];
        let _ = engine.init(&colony, &programs[0], 4, &[]);
        let stage = Stage {
            engine,
            colony,
            programs,
        };
        let trace = stage.colony.dir().join("trace");
        let reached = || -> BTreeSet<String> {
            let text = std::fs::read_to_string(&trace).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        };
        let run = ["RUNNING"; 3];
        let container = fault_points::POINTS
            .iter()
            .filter(|point| point.starts_with("s6overlay.container."));
        for point in container {
            let died = stage
                .force(&["add"])
                .env(fault::VARIABLE, *point)
                .env(fault::TRACE_VARIABLE, &trace)
                .run();
            assert_eq!(died.code, None, "not killed at {point}: {died:?}");
        }
        let _ = stage.force(&["add", "--count=3"]).run().succeeded();
        stage.settle(&run);
        let programs = stage.programs.each_ref().map(|path| path.to_str().unwrap());
        let third = "--service-name=antnode0003";
        let both = ["--service-name", "antnode0002,antnode0003"];
        let acts = [
            Act {
                words: &["stop", both[0], both[1]],
                after: &["RUNNING", "STOPPED", "STOPPED"],
                undo: &["start", both[0], both[1]],
                points: &["s6overlay.stop."],
            },
            Act {
                words: &["start", third],
                after: &run,
                undo: &[],
                points: &["s6overlay.start."],
            },
            Act {
                words: &["upgrade", third, "--antnode-path", programs[1]],
                after: &run,
                undo: &["upgrade", third, "--antnode-path", programs[0]],
                points: &["s6overlay.upgrade.", "s6overlay.start."],
            },
            Act {
                words: &["remove", both[0], both[1]],
                after: &["RUNNING"],
                undo: &["add", "--count=2"],
                points: &["s6overlay.remove."],
            },
            Act {
                words: &["add", "--count=2"],
                after: &run,
                undo: &[],
                points: &["s6overlay.add.", "s6overlay.start."],
            },
        ];
        for Act {
            words: act,
            after,
            undo,
            points: prefixes,
        } in acts
        {
            let own = |point: &&&str| {
                let in_batch = [
                    "act.before-intent",
                    "act.after-intent",
                    "act.before-outcome",
                    "act.after-outcome",
                ];
                prefixes.iter().any(|prefix| point.starts_with(prefix)) || in_batch.contains(point)
            };
            for point in fault_points::POINTS.iter().filter(own) {
                match act[0] {
                    "start" => {
                        let _ = stage.force(&["stop", third]).run().succeeded();
                    }
                    "add" => {
                        let _ = stage.force(&["remove", both[0], both[1]]).run().succeeded();
                    }
                    _ => {}
                }
                let died = stage
                    .force(act)
                    .env(fault::VARIABLE, *point)
                    .env(fault::TRACE_VARIABLE, &trace)
                    .run();
                assert_eq!(died.code, None, "not killed at {point}: {died:?}");
                if *point == "act.before-intent" {
                    // Nothing was begun.
                    let _ = stage.force(act).run().succeeded();
                }
                stage.settle(after);
                if !undo.is_empty() {
                    let undone = stage.force(undo).run();
                    drop(undone);
                    stage.settle(&run);
                }
            }
        }
        let listed = fault_points::POINTS
            .iter()
            .filter(|point| point.starts_with("s6overlay."));
        let listed: BTreeSet<String> = listed.map(ToString::to_string).collect();
        let reached: BTreeSet<String> = reached()
            .into_iter()
            .filter(|point| point.starts_with("s6overlay."))
            .collect();
        assert_eq!(reached, listed);
        let _ = stage.force(&["teardown", "--confirm"]).run().succeeded();
        assert!(stage.engine.containers().is_empty());
        stage.colony.assert_nothing_left();
    });
}
