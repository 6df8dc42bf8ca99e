//! The policy, rule by rule. A plan is read as lines: `stop 3 (70): memory 80 % > 75 %`.

mod grow;
mod order;
mod shed;
mod upkeep;

use crate::decide::decide;
use crate::node::{Desired, DesiredState, Node};
use crate::quantity::{Seconds, UnixTime};
use crate::snapshot::Snapshot;

/// Something done to a calm machine, and the reason it should lead to.
type Case = (fn(&mut Snapshot), &'static str);

/// What the plan does.
fn steps(snapshot: &Snapshot) -> Vec<String> {
    let plan = decide(snapshot);
    let line = |step: &crate::decide::Step| {
        let (act, node, rank, reason) = (step.act.word(), step.node, step.priority, &step.reason);
        format!("{act} {node} ({rank}): {reason}")
    };
    plan.steps.iter().map(line).collect()
}

/// What it does, without the reasons.
fn acts(snapshot: &Snapshot) -> Vec<String> {
    let word = |line: String| line.split(" (").next().unwrap_or_default().to_owned();
    steps(snapshot).into_iter().map(word).collect()
}

/// What it does not do, and why.
fn held(snapshot: &Snapshot) -> Vec<String> {
    let plan = decide(snapshot);
    plan.held_back.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_held(snapshot: &Snapshot, line: &str) {
    let held = held(snapshot);
    assert!(
        held.iter().any(|held| held == line),
        "{line:?} not in {held:#?}"
    );
}

fn ago(seconds: i64) -> UnixTime {
    UnixTime(crate::testing::NOW.0 - seconds)
}

/// The same node, wanted otherwise since a while.
fn wanted(mut node: Node, state: DesiredState, by: crate::node::Actor, since: i64) -> Node {
    crate::testing::edit(&mut node, |n| {
        n.desired = Desired {
            state,
            by,
            since: ago(since),
        }
    });
    node
}

fn limits(snapshot: &mut Snapshot, each: u32, operations: u32) {
    snapshot.machine.limits = crate::machine::Limits {
        upgrades: each,
        starts: each,
        removals: each,
        operations,
    };
}

/// The same node with a step under way.
fn with_step(mut node: Node, kind: crate::node::TransitionKind, acted: bool, ago: u64) -> Node {
    crate::testing::edit(&mut node, |n| {
        n.transition = Some(crate::testing::under_way(kind, acted, Seconds(ago)))
    });
    node
}
