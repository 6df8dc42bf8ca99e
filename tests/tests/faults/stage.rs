//! A colony and what is done with it in one run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use wnm_tests::call::Call;
use wnm_tests::database::NodeRow;
use wnm_tests::wait::{LONG, until, until_some};

use crate::clock;
use crate::fault::Fault;
use crate::ground::Ground;
use crate::outcome::{checked, tell_events};
use crate::script::{Script, Standing};
use crate::seen::{Seen, plant, seen};

/// The version of an outdated node.
const OLD: &str = "0.4.16";

/// The version of the others, and of the program that upgrades take.
pub const NEW: &str = "0.4.17";

/// Nodes that may be brought up at once: all of them, to lose no time.
const AT_ONCE: u32 = 8;

/// Cycles after which a colony must have come to rest once nothing goes wrong any more.
const MOST_CYCLES: usize = 12;

/// Between two of them, longer than any wait for a node that did not stay up.
const BETWEEN_CYCLES: i64 = 2 * 3600;

/// A colony in the state that a script begins with.
pub struct Stage<'g> {
    pub ground: &'g dyn Ground,
    old: PathBuf,
    new: PathBuf,
    upgrades: bool,
    /// Most nodes that were asked for.
    pub ceiling: u32,
}

impl<'g> Stage<'g> {
    /// Makes it.
    pub fn set(script: &Script, ceiling: u32, ground: &'g dyn Ground) -> Self {
        let stage = Self {
            old: ground.program(OLD),
            new: ground.program(NEW),
            ground,
            upgrades: script.upgrades,
            ceiling,
        };
        let limits = ["starts", "upgrades", "removals", "operations"]
            .map(|name| format!("--max-concurrent-{name}={AT_ONCE}"));
        let delays = ["start", "restart", "upgrade", "remove"]
            .map(|name| format!("--delay-{name}={}", script.delay));
        let options = [limits, delays].concat();
        ground.init(&stage.new, &options);
        let outdated = script.outdated();
        for (count, program) in [
            (outdated, &stage.old),
            (script.nodes.len() - outdated, &stage.new),
        ] {
            if count > 0 {
                stage.force(program, "add", &format!("--count={count}"));
            }
        }
        stage.wait_for_answers();
        stage.force(&stage.new, "survey", "--json");
        for (act, standing) in [("stop", Standing::Stopped), ("disable", Standing::Disabled)] {
            let names = script.names(standing);
            if !names.is_empty() {
                stage.force(&stage.new, act, &format!("--service-name={names}"));
            }
        }
        plant(&ground.database(), |path| ground.seen_at(path));
        stage
    }

    fn force(&self, program: &Path, act: &str, more: &str) {
        let call = self.call([&format!("--force-action={act}"), more]);
        let _done = call.arg("--antnode-path").arg(program).run().succeeded();
    }

    /// A call of the program that may make no more nodes than were asked for.
    pub fn call<S: AsRef<str>>(&self, words: impl IntoIterator<Item = S>) -> Call {
        self.limited(self.ground.wnm(), words)
    }

    /// The same, while a fault lasts.
    pub fn call_during<S: AsRef<str>>(
        &self,
        fault: &Fault,
        words: impl IntoIterator<Item = S>,
    ) -> Call {
        self.limited(fault.wnm(self.ground), words)
    }

    fn limited<S: AsRef<str>>(&self, wnm: Call, words: impl IntoIterator<Item = S>) -> Call {
        let cap = format!("--node-cap={}", self.ceiling);
        let words = words.into_iter().map(|word| word.as_ref().to_owned());
        wnm.args(["--json", &cap]).args(words)
    }

    /// What is said in a cycle as cron would make it.
    pub fn cycle(&self) -> Option<&'static str> {
        self.upgrades.then_some("--enable-upgrade")
    }

    /// Runs cycles until nothing is left to do: the first on what the fault left, the others once everyone has come
    /// up who is about to. They are kept from adding nodes by a cap of as many as there are.
    pub fn settle(&self) {
        let mut told = Vec::new();
        let mut rows = self.standing();
        for cycle in 0..MOST_CYCLES {
            if cycle > 0 {
                self.wait_for_answers();
                clock::passed(&self.ground.database(), BETWEEN_CYCLES);
            }
            let outcome = until_some(LONG, "the lock of a process that was killed", || {
                // A child that it forked has the lock, too, until it becomes a node.
                let words = self.cycle().into_iter().map(str::to_owned);
                let outcome = self.call(words.chain([self.kept()])).run();
                (!outcome.stderr.contains("another wnm")).then_some(outcome)
            });
            let outcome = checked(outcome);
            let report = outcome.last_json();
            let idle =
                outcome.code == Some(0) && report["steps"].as_array().is_some_and(Vec::is_empty);
            let now = self.standing();
            let rests = now.values().all(|(desired, status, under_way)| {
                under_way.is_none() && desired.eq_ignore_ascii_case(status)
            });
            if cycle > 0 && idle && rests && now == rows {
                return self.plan_is_empty();
            }
            rows = now;
            told.push(report);
        }
        panic!("not settled after {MOST_CYCLES} cycles: {told:#?}\n{rows:#?}");
    }

    fn plan_is_empty(&self) {
        let asked = self.ground.wnm().args(["plan", "--json", &self.kept()]);
        let plan = asked.run().succeeded().last_json();
        let steps = plan["plan"]["steps"].as_array();
        assert_eq!(steps.map(Vec::len), Some(0), "{plan:#?}");
    }

    fn kept(&self) -> String {
        let kept = "(SELECT count(*) FROM node WHERE desired <> 'absent')";
        format!("--node-cap={}", self.ground.database().value(kept).unwrap())
    }

    /// What is wanted of each node, its status, and what is under way.
    fn standing(&self) -> BTreeMap<u32, (String, String, Option<String>)> {
        let columns = ["id", "desired", "status", "transition"];
        let rows = self.ground.database().rows(&columns, "node");
        let read = |row: Vec<Option<String>>| {
            let [id, desired, status, under_way] = row.try_into().unwrap();
            let id = id.unwrap().parse().unwrap();
            (id, (desired.unwrap(), status.unwrap(), under_way))
        };
        rows.into_iter().map(read).collect()
    }

    /// Every node with what is wanted of it and what lies on the disk.
    pub fn seen(&self) -> Vec<Seen> {
        seen(&self.ground.database(), |path| self.ground.seen_at(path))
    }

    /// Waits until each node that has a process has opened its port, unless it runs without.
    fn wait_for_answers(&self) {
        self.ground.wait_for_restarts();
        until(LONG, "an answer of each node that runs", || {
            let rows = self.ground.database().nodes();
            let running = self.ground.running(&rows);
            let mut asked = rows
                .iter()
                .filter(|row| running.contains(&row.id) && !self.is_without_metrics(row));
            asked.all(|row| self.ground.page(row.metrics_port.unwrap()).is_ok())
        });
    }

    /// Whether the node's last process found its metrics port taken. It goes on without and says so.
    pub fn is_without_metrics(&self, row: &NodeRow) -> bool {
        let said = self.ground.output(row);
        let last = said.rsplit("EVM network").next().unwrap_or_default();
        last.contains("error binding")
    }
}

/// A failed run says what the program did and why.
impl Drop for Stage<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tell_events(&self.ground.database());
        }
    }
}
