//! A colony under any manager, and what is done with it.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use wnm_core::fault;
use wnm_tests::agreement;
use wnm_tests::backend::{TestBackend, kept_cap, run_when_unlocked, settle, wait_for_pages};
use wnm_tests::call::{Call, Outcome};

use crate::operation::{NEW, OLD, Operation, State};
use crate::snapshot::Snapshot;

/// Most nodes there may ever be.
const CAP: usize = 5;

/// A step, its delay, the row of a removed node: fewer cycles do what is left to do.
const MOST_CYCLES: usize = 8;

/// A colony with two programs for its nodes.
pub struct TestColony<'b> {
    pub backend: Box<dyn TestBackend + 'b>,
    old: PathBuf,
    new: PathBuf,
    /// The last number that was put into an option.
    number: Cell<u32>,
}

impl<'b> TestColony<'b> {
    /// An empty one.
    pub fn new(backend: impl TestBackend + 'b) -> Self {
        let colony = Self {
            old: backend.program(OLD),
            new: backend.program(NEW),
            backend: Box::new(backend),
            // As gigabytes for all nodes, more than they need.
            number: Cell::new(10),
        };
        colony.backend.init(&colony.new, &[]);
        colony
    }

    /// Nodes 1 to `count`, all running.
    pub fn with_nodes(backend: impl TestBackend + 'b, count: u32) -> Self {
        let colony = Self::new(backend);
        colony.grow(count);
        colony
    }

    /// Adds nodes and waits until they run.
    pub fn grow(&self, count: u32) {
        let _added = self.add(count).run().succeeded();
        self.settle(&[]);
    }

    /// Brings nodes into a state, from whichever the last operation left them in.
    pub fn bring(&self, nodes: &[u32], to: State) {
        let before = self.snapshot();
        let mut changed = false;
        for node in nodes {
            changed |= self.bring_one(*node, before.state(*node), to);
        }
        if changed {
            self.settle(&[]);
        }
        let after = self.snapshot();
        for node in nodes {
            assert_eq!(after.state(*node), to, "node {node} was not brought there");
        }
    }

    fn bring_one(&self, node: u32, from: State, to: State) -> bool {
        let service = format!("--service-name={node:04}");
        let force = |act| self.force(&[act, &service]);
        let done = |call: Call| drop(call.run().succeeded());
        let is_gone = |state| state == State::Gone;
        match (from, to) {
            _ if from == to => return false,
            _ if is_gone(from) != is_gone(to) && !self.backend.reuses_numbers() => {
                done(self.teardown());
                done(self.add(if is_gone(to) { node - 1 } else { node }));
            }
            (_, State::Gone) => done(force("remove")),
            (State::Gone, _) => done(self.add(1)),
            // Only what runs is upgraded.
            (State::Stopped(_), _) => done(force("start")),
            (State::Running(_), _) => {}
        }
        let version = |state| match state {
            State::Gone => None,
            State::Running(version) | State::Stopped(version) => Some(version),
        };
        if let Some(wanted) = version(to)
            && version(from).unwrap_or(NEW) != wanted
        {
            // An operator may also go back to an older version.
            let program = if wanted == OLD { &self.old } else { &self.new };
            done(force("upgrade").arg("--antnode-path").arg(program));
        }
        if matches!(to, State::Stopped(_)) {
            done(force("stop"));
        }
        true
    }

    fn force(&self, words: &[&str]) -> Call {
        let cap = format!("--node-cap={CAP}");
        let call = self.backend.wnm().args(["--json", &cap, "--force-action"]);
        call.args(words)
    }

    /// The operation, with the program that nodes are to have after it.
    pub fn call(&self, operation: &Operation) -> Call {
        let nodes = operation.nodes;
        let call = if operation.act == "add" {
            self.add(nodes.len().try_into().unwrap())
        } else {
            let names: Vec<String> = nodes.iter().map(|id| format!("{id:04}")).collect();
            let call = self.force(&[operation.act, "--service-name", &names.join(",")]);
            call.arg("--antnode-path").arg(&self.new)
        };
        self.number.set(self.number.get() + 1);
        let number = self.number.get().to_string();
        let options = operation.options.iter();
        let options = options.map(|option| option.replace("{}", &number));
        call.args(options)
    }

    /// Adds nodes in one call.
    pub fn add(&self, count: u32) -> Call {
        let call = self.force(&["add", "--count", &count.to_string()]);
        call.arg("--antnode-path").arg(&self.new)
    }

    /// A teardown.
    pub fn teardown(&self) -> Call {
        self.force(&["teardown", "--confirm"])
    }

    /// Makes a call that succeeds. The fault points that it reached.
    pub fn trace(&self, call: Call) -> BTreeSet<String> {
        let (outcome, points) = self.traced(call);
        let _done = outcome.succeeded();
        points.into_iter().collect()
    }

    /// Makes a call that dies at this point.
    pub fn kill_at(&self, call: Call, point: &str) {
        let (outcome, points) = self.traced(call.env(fault::VARIABLE, point));
        assert_eq!(outcome.code, None, "not killed at {point}: {outcome:?}");
        assert_eq!(points.last().map(String::as_str), Some(point));
    }

    /// Runs a cycle that dies if it reaches this point.
    pub fn kill_cycle_at(&self, operation: &Operation, point: &str) {
        let call = self.cycle(operation.cycle).env(fault::VARIABLE, point);
        let (outcome, _) = self.traced(call);
        assert!(matches!(outcome.code, None | Some(0)), "{outcome:?}");
    }

    fn traced(&self, call: Call) -> (Outcome, Vec<String>) {
        // Beside the database, where the program may write whoever runs it.
        let file = self.backend.database().path().with_file_name("points");
        let outcome = call.env(fault::TRACE_VARIABLE, &file).run();
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        // A cycle may reach no point at all.
        std::fs::remove_file(&file).ok();
        (outcome, text.lines().map(str::to_owned).collect())
    }

    /// A cycle that adds no nodes.
    fn cycle(&self, words: &[&str]) -> Call {
        let kept = kept_cap(&self.backend.database());
        self.backend.wnm().args(["--json", &kept]).args(words)
    }

    /// Runs cycles as cron would, with these options, until nothing is left to do.
    pub fn settle(&self, words: &[&str]) {
        let backend = &*self.backend;
        let cycle = || run_when_unlocked(|| self.cycle(words)).succeeded();
        settle(backend, MOST_CYCLES, cycle, || {
            wait_for_pages(backend, |_| false);
        });
    }

    /// Everything that tells one node from another, now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(&*self.backend)
    }

    /// Fails the test unless rows, manager, processes and directories agree. No transition may be under way.
    #[track_caller]
    pub fn check(&self) {
        self.backend.check_agreement();
        let rows = self.backend.database().nodes();
        assert!(rows.len() <= CAP, "past the cap: {rows:#?}");
        let no_disabled = rows.iter().all(|row| row.status != "DISABLED");
        assert!(no_disabled, "nobody disabled a node: {rows:#?}");
        for row in rows.iter().filter(|row| row.status == "RUNNING") {
            agreement::assert_page_is_of(row, |port| self.backend.page(port));
        }
    }

    /// Removes everything, and proves it.
    pub fn tear_down(&self) {
        let teardown = self.teardown().run().succeeded();
        assert_eq!(teardown.status(), "cluster-teardown");
        self.backend.assert_nothing_left();
        self.check();
    }
}

/// A failed test prints what the program did and why.
impl Drop for TestColony<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.backend.database().print_events();
        }
    }
}
