//! A colony and what is done with it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use wnm_core::fault;
use wnm_tests::call::{Call, Outcome};
use wnm_tests::colony::{Colony, EAGER};
use wnm_tests::database::NodeRow;
use wnm_tests::nodes;
use wnm_tests::wait::{LONG, until, until_some};

use crate::look::Look;
use crate::operation::{NEW, OLD, Operation, State};

/// Most nodes there may ever be.
pub const CAP: usize = 5;

/// A step, its delay, the row of a removed node: what is left to do is done in fewer cycles.
const MOST_CYCLES: usize = 8;

/// A colony with two programs for its nodes.
pub struct Stage {
    /// The colony.
    pub colony: Colony,
    old: PathBuf,
    new: PathBuf,
}

impl Stage {
    /// Nodes 1 to `count`, all running.
    pub fn with_nodes(count: u32) -> Self {
        let colony = Colony::new();
        let stage = Self {
            old: colony.program(OLD),
            new: colony.program(NEW),
            colony,
        };
        let cap = format!("--node-cap={CAP}");
        let options = EAGER.into_iter().chain([cap.as_str()]);
        stage.colony.init("setsid+user", &stage.new, options);
        if count > 0 {
            let _added = stage.add(count).run().succeeded();
            stage.settle_with(&[]);
        }
        stage
    }

    /// Brings a node to where an operation begins, from wherever the last one left it.
    pub fn bring(&self, node: u32, to: State) {
        let from = self.state(node);
        if from == to {
            return;
        }
        let service = format!("--service-name=antnode{node:04}");
        let force = |act| self.force(&[act, &service]);
        let done = |call: Call| drop(call.run().succeeded());
        match (from, to) {
            (State::Gone, State::Gone) => {}
            (_, State::Gone) => done(force("remove")),
            (State::Gone, _) => done(self.force(&["add"])),
            // Only what runs is upgraded.
            (State::Stopped(_), _) => done(force("start")),
            (State::Running(_), _) => {}
        }
        if let State::Running(version) | State::Stopped(version) = to
            && !matches!(from, State::Running(is) | State::Stopped(is) if is == version)
        {
            // A person may also go back to an older version.
            let program = if version == OLD { &self.old } else { &self.new };
            done(force("upgrade").arg("--antnode-path").arg(program));
        }
        if matches!(to, State::Stopped(_)) {
            done(force("stop"));
        }
        self.settle_with(&[]);
        assert_eq!(self.state(node), to, "node {node} was not brought there");
    }

    fn force(&self, words: &[&str]) -> Call {
        let cap = format!("--node-cap={CAP}");
        self.colony
            .wnm(["--json", &cap, "--force-action"])
            .args(words)
    }

    /// The operation, with the program that nodes are to have after it.
    pub fn call(&self, operation: &Operation) -> Call {
        self.force(operation.words)
            .arg("--antnode-path")
            .arg(&self.new)
    }

    /// Adds nodes in one call.
    pub fn add(&self, count: u32) -> Call {
        self.force(&["add", "--count", &count.to_string()])
    }

    /// A teardown.
    pub fn teardown(&self) -> Call {
        self.force(&["teardown", "--confirm"])
    }

    /// Makes a call that succeeds. The points that it came by.
    pub fn trace(&self, call: Call) -> BTreeSet<String> {
        self.traced(call, |outcome| {
            let _done = outcome.succeeded();
        })
        .into_iter()
        .collect()
    }

    /// Makes a call that dies at this point.
    pub fn kill_at(&self, call: Call, point: &str) {
        let points = self.traced(call.env(fault::VARIABLE, point), |outcome| {
            assert_eq!(outcome.code, None, "not killed at {point}: {outcome:?}");
        });
        assert_eq!(points.last().map(String::as_str), Some(point));
    }

    /// Runs a cycle that dies as soon as it comes to this point; it need not come there.
    pub fn kill_cycle_at(&self, operation: &Operation, point: &str) {
        let call = self.cycle(operation.cycle).env(fault::VARIABLE, point);
        self.traced(call, |outcome| {
            assert!(matches!(outcome.code, None | Some(0)), "{outcome:?}");
        });
    }

    fn traced(&self, call: Call, check: impl FnOnce(Outcome)) -> Vec<String> {
        let file = self.colony.dir().join("points");
        check(call.env(fault::TRACE_VARIABLE, &file).run());
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        // A cycle may come by no point at all.
        std::fs::remove_file(&file).ok();
        text.lines().map(str::to_owned).collect()
    }

    /// A cycle, kept from adding nodes by a cap of as many as there are.
    fn cycle(&self, words: &[&str]) -> Call {
        let kept = "(SELECT count(*) FROM node WHERE desired <> 'absent')";
        let cap = format!("--node-cap={}", self.colony.database().value(kept).unwrap());
        self.colony.wnm(["--json", &cap]).args(words)
    }

    /// Runs cycles as cron would after the operation, until nothing is left to do.
    pub fn settle(&self, operation: &Operation) {
        self.settle_with(operation.cycle);
    }

    /// Runs cycles with these options until nothing is left to do.
    pub fn settle_with(&self, words: &[&str]) {
        let mut told = Vec::new();
        let mut rows = self.rows();
        for cycle in 0..MOST_CYCLES {
            // The first one takes things as they are. What a node says of itself is on record only after a
            // cycle that it answered in.
            if cycle > 0 {
                self.wait_for_answers();
            }
            let outcome = until_some(LONG, "the lock of a process that was killed", || {
                // A child that it forked has the lock, too, until it becomes a node.
                let outcome = self.cycle(words).run();
                (!outcome.stderr.contains("another wnm")).then_some(outcome)
            });
            let report = outcome.succeeded().last_json();
            let idle = report["steps"].as_array().is_some_and(Vec::is_empty);
            let now = self.rows();
            if idle && now == rows && now.iter().all(|(_, under_way)| under_way.is_none()) {
                return;
            }
            rows = now;
            told.push(report);
        }
        panic!("not settled after {MOST_CYCLES} cycles: {told:#?}\n{rows:#?}");
    }

    fn wait_for_answers(&self) {
        let processes = self.colony.processes();
        for row in self.colony.database().nodes() {
            let port = row.metrics_port.unwrap();
            if processes
                .iter()
                .any(|process| process.root_dir() == Some(&row.root_dir))
            {
                until(LONG, format!("an answer on port {port}"), || {
                    nodes::page(port, "/metadata").is_ok()
                });
            }
        }
    }

    /// The rows, each with what is under way.
    pub fn rows(&self) -> Vec<(NodeRow, Option<String>)> {
        let database = self.colony.database();
        let under_way = database.rows(&["transition"], "node ORDER BY id");
        let under_way = under_way.into_iter().map(|mut row| row.remove(0));
        database.nodes().into_iter().zip(under_way).collect()
    }

    fn state(&self, node: u32) -> State {
        self.look().state(node)
    }

    /// Everything that tells one node from another, now.
    pub fn look(&self) -> Look {
        Look::at(&self.colony)
    }

    /// Removes everything, and proves it.
    pub fn tear_down(&self) {
        let teardown = self.teardown().run().succeeded();
        assert_eq!(teardown.status(), "cluster-teardown");
        self.colony.assert_nothing_left();
        self.check();
    }
}

/// A failed test says what the program did and why.
impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let columns = ["at", "node", "action", "outcome", "reason"];
            for event in self
                .colony
                .database()
                .rows(&columns, "wnm_event ORDER BY id")
            {
                let words: Vec<String> = event.into_iter().flatten().collect();
                eprintln!("{}", words.join(" "));
            }
        }
    }
}
