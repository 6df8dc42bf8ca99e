//! The colony of one run.

use std::path::{Path, PathBuf};

use wnm_tests::backend::{kept_cap, run_when_unlocked, settle, wait_for_pages};
use wnm_tests::call::Call;
use wnm_tests::database::NodeRow;

use crate::backend::FaultBackend;
use crate::clock;
use crate::fault::Fault;
use crate::observed::{ObservedNode, observed_nodes, plant};
use crate::outcome::checked;
use crate::script::{Desired, Script};

/// The version of an outdated node.
const OLD: &str = "0.4.16";

/// The version of the others, and of the program that upgrades take.
pub const NEW: &str = "0.4.17";

/// The limit on concurrent operations: all nodes, to lose no time.
const AT_ONCE: u32 = 8;

/// A colony settles within so many cycles after the fault.
const MOST_CYCLES: usize = 12;

/// Seconds that pass between two of them: longer than any back-off of a node.
const BETWEEN_CYCLES: i64 = 2 * 3600;

/// A colony in the initial state of a script.
pub struct TestColony<'g> {
    pub backend: &'g dyn FaultBackend,
    old: PathBuf,
    new: PathBuf,
    upgrades: bool,
    /// The highest allowed number of nodes.
    pub ceiling: u32,
}

impl<'g> TestColony<'g> {
    /// Creates it.
    pub fn set(script: &Script, ceiling: u32, backend: &'g dyn FaultBackend) -> Self {
        let colony = Self {
            old: backend.program(OLD),
            new: backend.program(NEW),
            backend,
            upgrades: script.upgrades,
            ceiling,
        };
        let limits = ["starts", "upgrades", "removals", "operations"]
            .map(|name| format!("--max-concurrent-{name}={AT_ONCE}"));
        let delays = ["start", "restart", "upgrade", "remove"]
            .map(|name| format!("--delay-{name}={}", script.delay));
        let options = [limits, delays].concat();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        backend.init(&colony.new, &options);
        let outdated = script.outdated();
        for (count, program) in [
            (outdated, &colony.old),
            (script.nodes.len() - outdated, &colony.new),
        ] {
            if count > 0 {
                colony.force(program, "add", &format!("--count={count}"));
            }
        }
        colony.wait_for_answers();
        colony.force(&colony.new, "survey", "--json");
        for (act, desired) in [("stop", Desired::Stopped), ("disable", Desired::Disabled)] {
            let names = script.names(desired);
            if !names.is_empty() {
                colony.force(&colony.new, act, &format!("--service-name={names}"));
            }
        }
        plant(&backend.database(), |path| backend.path_from_here(path));
        colony
    }

    fn force(&self, program: &Path, act: &str, more: &str) {
        let call = self.call([&format!("--force-action={act}"), more]);
        let _done = call.arg("--antnode-path").arg(program).run().succeeded();
    }

    /// A call of the program that cannot exceed the allowed number of nodes.
    pub fn call<S: AsRef<str>>(&self, words: impl IntoIterator<Item = S>) -> Call {
        self.limited(self.backend.wnm(), words)
    }

    /// The same, while a fault lasts.
    pub fn call_during<S: AsRef<str>>(
        &self,
        fault: &Fault,
        words: impl IntoIterator<Item = S>,
    ) -> Call {
        self.limited(fault.wnm(self.backend), words)
    }

    fn limited<S: AsRef<str>>(&self, wnm: Call, words: impl IntoIterator<Item = S>) -> Call {
        let cap = format!("--node-cap={}", self.ceiling);
        let words = words.into_iter().map(|word| word.as_ref().to_owned());
        wnm.args(["--json", &cap]).args(words)
    }

    /// The option of a cycle in cron.
    pub fn cycle(&self) -> Option<&'static str> {
        self.upgrades.then_some("--enable-upgrade")
    }

    /// Runs cycles until nothing is left to do: the first on what the fault left, the others once every node has
    /// started that is about to.
    pub fn settle(&self) {
        let cycle = || {
            let words = || self.cycle().into_iter().map(str::to_owned);
            let kept = || kept_cap(&self.backend.database());
            checked(run_when_unlocked(|| self.call(words().chain([kept()]))))
        };
        settle(self.backend, MOST_CYCLES, cycle, || {
            self.wait_for_answers();
            clock::passed(&self.backend.database(), BETWEEN_CYCLES);
        });
        self.plan_is_empty();
    }

    fn plan_is_empty(&self) {
        let kept = kept_cap(&self.backend.database());
        let asked = self.backend.wnm().args(["plan", "--json", &kept]);
        let plan = asked.run().succeeded().last_json();
        let steps = plan["plan"]["steps"].as_array();
        assert_eq!(steps.map(Vec::len), Some(0), "{plan:#?}");
    }

    /// Every node with its desired state and its files.
    pub fn observed_nodes(&self) -> Vec<ObservedNode> {
        observed_nodes(&self.backend.database(), |path| {
            self.backend.path_from_here(path)
        })
    }

    /// Waits until each node that has a process serves its page, unless it runs without.
    fn wait_for_answers(&self) {
        wait_for_pages(self.backend, |row| self.is_without_metrics(row));
    }

    /// Whether the node's last process found its metrics port taken. It prints that and runs without.
    pub fn is_without_metrics(&self, row: &NodeRow) -> bool {
        let printed = self.backend.output(row);
        let last = printed.rsplit("EVM network").next().unwrap_or_default();
        last.contains("error binding")
    }
}

/// A failed run prints what the program did and why.
impl Drop for TestColony<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.backend.database().print_events();
        }
    }
}
