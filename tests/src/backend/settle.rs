//! Cycles, one after the other, until the colony is at rest.

use super::TestBackend;
use crate::call::{Call, Outcome};
use crate::database::{Database, NodeRow};
use crate::wait::{LONG, found_within, until, until_some};

/// The node cap that keeps a cycle from adding nodes: as many as there are to be.
pub fn kept_cap(database: &Database) -> String {
    let kept = "(SELECT count(*) FROM node WHERE desired <> 'absent')";
    format!("--node-cap={}", database.value(kept).unwrap())
}

/// Makes a call, again while another process has the lock. A child of a killed `wnm` has it until it becomes a node.
pub fn run_when_unlocked(call: impl Fn() -> Call) -> Outcome {
    until_some(LONG, "the lock of a killed process", || {
        let outcome = call().run();
        (!outcome.stderr.contains("another wnm")).then_some(outcome)
    })
}

/// Waits until each node that has a process serves its page, but for those that `skip` names.
pub fn wait_for_pages(backend: &dyn TestBackend, skip: impl Fn(&NodeRow) -> bool) {
    backend.wait_for_restarts();
    until(LONG, "the pages of all nodes that run", || {
        let rows = backend.database().nodes();
        let running = backend.running(&rows);
        let mut asked = rows
            .iter()
            .filter(|row| running.contains(&row.id) && !skip(row));
        asked.all(|row| backend.page(row.metrics_port.unwrap()).is_ok())
    });
}

/// Makes calls until `count` nodes run and have reported their peer ids.
pub fn run_until_running(database: &Database, count: usize, call: impl Fn() -> Call) {
    let mut output = String::new();
    let running = found_within(LONG, || {
        output = call().run().succeeded().stdout;
        let nodes = database.nodes();
        let running = nodes
            .iter()
            .filter(|node| node.status == "RUNNING" && node.peer_id.is_some());
        (running.count() == count).then_some(())
    });
    assert!(
        running.is_some(),
        "{count} nodes do not run; the last call printed\n{output}\n{:#?}",
        database.nodes()
    );
}

/// Runs cycles until one of them changes nothing and every node is as it is desired. Calls `between` before each but
/// the first, which takes things as they are. Panics after `limit` cycles.
pub fn settle(
    backend: &dyn TestBackend,
    limit: usize,
    cycle: impl Fn() -> Outcome,
    between: impl Fn(),
) {
    let mut reports = Vec::new();
    let mut rows = node_states(&backend.database());
    for count in 0..limit {
        if count > 0 {
            between();
        }
        let outcome = cycle();
        let report = outcome.last_json();
        let idle = outcome.code == Some(0) && report["steps"].as_array().is_some_and(Vec::is_empty);
        let now = node_states(&backend.database());
        let at_rest = now.iter().all(|(row, desired, transition)| {
            transition.is_none() && desired.eq_ignore_ascii_case(&row.status)
        });
        // What a node says of itself is on record only after a cycle in which it served its page.
        if count > 0 && idle && at_rest && now == rows {
            return;
        }
        rows = now;
        reports.push(report);
    }
    panic!("not settled after {limit} cycles: {reports:#?}\n{rows:#?}");
}

/// Each row with its desired state and its transition.
fn node_states(database: &Database) -> Vec<(NodeRow, String, Option<String>)> {
    let columns = database.rows(&["desired", "transition"], "node ORDER BY id");
    let rows = database.nodes().into_iter().zip(columns);
    rows.map(|(row, columns)| {
        let [desired, transition] = columns.try_into().unwrap();
        (row, desired.unwrap(), transition)
    })
    .collect()
}
