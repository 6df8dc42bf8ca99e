//! A colony of two nodes and what is done with it. Node 1 is never acted on, node 2 always.

use std::collections::BTreeSet;
use std::path::PathBuf;

use wnm_core::fault;
use wnm_tests::call::{Call, Outcome};
use wnm_tests::database::NodeRow;
use wnm_tests::launchd::Seat;
use wnm_tests::wait::{LONG, found_within};

/// The version of node 2 before an upgrade.
pub const OLD: &str = "0.4.16";

/// The version after it, and of node 1.
pub const NEW: &str = "0.4.17";

/// How node 2 stands once nothing is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is no such node.
    Gone,
    /// It does not run and is of this version.
    Stopped(&'static str),
    /// It runs and is of this version.
    Running(&'static str),
}

pub struct Stage {
    pub seat: Seat,
    old: PathBuf,
    new: PathBuf,
    /// Numbers that were in settings.
    numbers: u32,
}

impl Stage {
    pub fn up() -> Self {
        let seat = Seat::up().expect("there is a launchd");
        let stage = Self {
            old: seat.colony.program(OLD),
            new: seat.colony.program(NEW),
            seat,
            numbers: 0,
        };
        let _ = stage.seat.init(&stage.new, &["--node-cap=3"]);
        stage
    }

    fn force(&self, words: &[&str]) -> Call {
        let number = self.numbers.to_string();
        let words: Vec<String> = words
            .iter()
            .map(|word| word.replace("{}", &number))
            .collect();
        self.seat
            .wnm(["--json", "--node-cap=3", "--antnode-path"])
            .arg(&self.new)
            .arg("--force-action")
            .args(words)
    }

    /// Brings node 2 to where an operation begins, from wherever the last one left it.
    pub fn bring(&self, to: State) {
        while self.seat.nodes().len() < 1 + usize::from(to != State::Gone) {
            drop(self.force(&["add"]).run().succeeded());
        }
        self.settle();
        let is = self.state();
        if is == to {
            return;
        }
        let on_two = |act: &str| self.force(&[act, "--service-name=0002"]);
        let done = |call: Call| drop(call.run().succeeded());
        match (is, to) {
            (_, State::Gone) => done(on_two("remove")),
            // Only what runs is upgraded.
            (State::Stopped(_), _) => done(on_two("start")),
            _ => {}
        }
        if let State::Running(version) | State::Stopped(version) = to
            && !matches!(is, State::Running(is) | State::Stopped(is) if is == version)
        {
            let program = if version == OLD { &self.old } else { &self.new };
            done(on_two("upgrade").arg("--antnode-path").arg(program));
        }
        if matches!(to, State::Stopped(_)) {
            done(on_two("stop"));
        }
        self.settle();
        assert_eq!(self.state(), to, "node 2 was not brought there");
    }

    /// Does it. The points that it came by.
    pub fn trace(&mut self, words: &[&str]) -> BTreeSet<String> {
        let (outcome, points) = self.traced(words, None);
        let _done = outcome.succeeded();
        points.into_iter().collect()
    }

    /// Does it and dies at this point.
    pub fn kill_at(&mut self, words: &[&str], point: &str) {
        let (outcome, points) = self.traced(words, Some(point));
        assert_eq!(outcome.code, None, "not killed at {point}: {outcome:?}");
        assert_eq!(points.last().map(String::as_str), Some(point));
    }

    fn traced(&mut self, words: &[&str], point: Option<&str>) -> (Outcome, Vec<String>) {
        self.numbers += 1;
        let file = self.seat.colony.dir().join("points");
        let mut call = self.force(words).env(fault::TRACE_VARIABLE, &file);
        if let Some(point) = point {
            call = call.env(fault::VARIABLE, point);
        }
        let outcome = call.run();
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        std::fs::remove_file(&file).ok();
        (outcome, text.lines().map(str::to_owned).collect())
    }

    /// Runs cycles as cron would until nothing is left to do, kept from adding nodes by a cap of as many as there
    /// are.
    pub fn settle(&self) {
        let mut said = String::new();
        let settled = found_within(LONG, || {
            let database = self.seat.colony.database();
            let kept = "(SELECT count(*) FROM node WHERE desired <> 'absent')";
            let cap = format!("--node-cap={}", database.value(kept).unwrap());
            let told = self.seat.wnm(["--json", &cap]).run();
            said = format!("{}{}", told.stdout, told.stderr);
            if told.stderr.contains("another wnm") {
                // What a killed run had started has its lock until it is done.
                return None;
            }
            let idle = told.succeeded().last_json()["steps"].as_array()?.is_empty();
            let under_way = database.rows(&["transition"], "node");
            let at_rest = |row: &NodeRow| match row.status.as_str() {
                // Its version is on record once it answered.
                "RUNNING" => row.version.is_some() && row.peer_id.is_some(),
                word => word == "STOPPED",
            };
            let rests = self.seat.nodes().iter().all(at_rest);
            (idle && rests && under_way.iter().flatten().all(Option::is_none)).then_some(())
        });
        assert!(
            settled.is_some(),
            "not settled, the last cycle said\n{said}"
        );
    }

    /// How node 2 stands on record.
    pub fn state(&self) -> State {
        let nodes = self.seat.nodes();
        let Some(node) = nodes.iter().find(|node| node.id == 2) else {
            return State::Gone;
        };
        let version = match node.version.as_deref() {
            Some(OLD) => OLD,
            Some(NEW) => NEW,
            other => panic!("a version of nobody: {other:?}"),
        };
        match node.status.as_str() {
            "RUNNING" => State::Running(version),
            "STOPPED" => State::Stopped(version),
            other => panic!("neither running nor stopped: {other}"),
        }
    }

    /// What must not change of node 1: its process and its key.
    pub fn bystander(&self) -> (Option<i32>, Vec<u8>) {
        let key = self.seat.colony.storage().join("antnode0001/secret-key");
        let pid = self.seat.pid("com.autonomi.antnode-1");
        (pid, std::fs::read(key).unwrap())
    }
}
