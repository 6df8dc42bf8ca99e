//! A colony of units and what is done with it in one run.

use std::path::{Path, PathBuf};

use wnm_tests::call::Call;
use wnm_tests::database::{Database, NodeRow};
use wnm_tests::systemd::{As, Inside};
use wnm_tests::wait::{LONG, found_within};

use crate::clock;
use crate::outcome::{checked, tell_events};
use crate::script::{Script, Standing};
use crate::seen::{Seen, plant, seen};

/// The version of an outdated node.
const OLD: &str = "0.4.16";

/// The version of the others, and of the program that upgrades take.
const NEW: &str = "0.4.17";

/// Nodes that may be brought up at once: all of them, to lose no time.
const AT_ONCE: u32 = 8;

/// Longer than any wait for a node that did not stay up.
const BETWEEN_CYCLES: i64 = 2 * 3600;

/// A colony in a systemd of its own, in the state that a script begins with.
pub struct Stage {
    pub inside: Inside,
    new: PathBuf,
    upgrades: bool,
    ceiling: u32,
}

impl Stage {
    /// Makes it; `None` after saying that the test is skipped.
    pub fn set(script: &Script, ceiling: u32) -> Option<Self> {
        let inside = Inside::up(As::Ann)?;
        let (old, new) = (inside.program(OLD), inside.program(NEW));
        let stage = Self {
            inside,
            new,
            upgrades: script.upgrades,
            ceiling,
        };
        let _made = stage.inside.init_at_once(&stage.new, AT_ONCE, &[]);
        let outdated = script.outdated();
        for (count, program) in [
            (outdated, &old),
            (script.nodes.len() - outdated, &stage.new),
        ] {
            if count > 0 {
                stage.force(program, "add", &format!("--count={count}"));
            }
        }
        stage.settle_with(&[]);
        for (act, standing) in [("stop", Standing::Stopped), ("disable", Standing::Disabled)] {
            let names = script.names(standing);
            if !names.is_empty() {
                stage.force(&stage.new, act, &format!("--service-name={names}"));
            }
        }
        let system = &stage.inside.system;
        plant(&stage.database(), |path: &Path| system.path(path));
        Some(stage)
    }

    fn force(&self, program: &Path, act: &str, more: &str) {
        let call = self.call(&[format!("--force-action={act}"), more.to_owned()]);
        let _done = call.arg("--antnode-path").arg(program).run().succeeded();
    }

    /// A call of the program that may make no more nodes than were asked for.
    pub fn call(&self, words: &[String]) -> Call {
        let cap = format!("--node-cap={}", self.ceiling);
        self.inside.wnm(["--json", &cap]).args(words)
    }

    /// The same with another environment.
    pub fn call_with(&self, environment: &[String], words: &[String]) -> Call {
        let program = self.inside.programs.path().join("wnm");
        let env = Path::new("/usr/bin/env");
        let call = self.inside.system.call(As::Ann, env, environment);
        call.env("DBPATH", self.inside.database())
            .arg(program)
            .args(["--json", &format!("--node-cap={}", self.ceiling)])
            .args(words)
    }

    fn database(&self) -> Database {
        Database::at(&self.inside.database())
    }

    /// Every node with what is wanted of it and what lies on the disk.
    pub fn seen(&self) -> Vec<Seen> {
        seen(&self.database(), |path: &Path| {
            self.inside.system.path(path)
        })
    }

    /// Runs cycles until nothing is left to do, kept from adding nodes by a cap of as many as there are.
    pub fn settle(&self) {
        let upgrades = self.upgrades.then(|| "--enable-upgrade".to_owned());
        self.settle_with(upgrades.as_slice());
        let plan = self.inside.wnm(["plan", "--json", &self.kept()]).run();
        let plan = plan.succeeded().last_json();
        let steps = plan["plan"]["steps"].as_array();
        assert_eq!(steps.map(Vec::len), Some(0), "{plan:#?}");
    }

    fn settle_with(&self, words: &[String]) {
        let mut said = String::new();
        let settled = found_within(LONG, || {
            let told = self.inside.wnm(["--json", &self.kept()]).args(words).run();
            let told = checked(told).succeeded();
            said.clone_from(&told.stdout);
            let idle = told.last_json()["steps"].as_array()?.is_empty();
            let rests = idle && self.rests();
            if !rests {
                clock::passed(&self.database(), BETWEEN_CYCLES);
            }
            rests.then_some(())
        });
        let state = || self.inside.systemctl(["list-units", "antnode*"]).stdout;
        assert!(settled.is_some(), "not settled: {said}\n{}", state());
    }

    fn rests(&self) -> bool {
        let under_way = self.database().rows(&["transition"], "node");
        let done = under_way.iter().flatten().all(Option::is_none);
        let desired = self.database().rows(&["desired"], "node ORDER BY id");
        let desired = desired.into_iter().flatten().flatten();
        // What a node says of itself is on record only after a cycle that it answered in.
        let known = |row: &NodeRow| row.status != "RUNNING" || row.peer_id.is_some();
        let nodes = self.inside.nodes();
        let as_wanted = nodes.iter().zip(desired);
        done && as_wanted
            .into_iter()
            .all(|(row, wanted)| known(row) && wanted.eq_ignore_ascii_case(&row.status))
    }

    fn kept(&self) -> String {
        let kept = "(SELECT count(*) FROM node WHERE desired <> 'absent')";
        format!("--node-cap={}", self.database().value(kept).unwrap())
    }

    /// Fails the test unless the database is whole, and holds no more nodes than were asked for.
    #[track_caller]
    pub fn check_database(&self) {
        let integrity = "pragma_integrity_check";
        let integrity = self.database().rows(&["integrity_check"], integrity);
        assert_eq!(integrity, [[Some("ok".to_owned())]]);
        let rows = self.inside.nodes();
        assert!(rows.len() <= self.ceiling as usize, "too many: {rows:#?}");
    }
}

/// A failed run says what the program did and why.
impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tell_events(&self.database());
        }
    }
}
