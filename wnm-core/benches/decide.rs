//! What it costs to decide one cycle, for colonies of up to ten thousand nodes.
#![allow(missing_docs)]

use divan::Bencher;
use wnm_core::decide::{Plan, decide};
use wnm_core::node::{Actor, ObservedState};
use wnm_core::snapshot::Snapshot;
use wnm_core::testing::{node, percent, seen, snapshot_of, stopped};

const COUNTS: [u32; 3] = [100, 1000, 10_000];

fn main() {
    divan::main();
}

/// Mostly running nodes, some stopped for load, some crashed.
fn colony(count: u32) -> Snapshot {
    let mut snapshot = snapshot_of((1..=count).map(|n| match n % 10 {
        0 => stopped(n, Actor::Wnm),
        1 => seen(n, ObservedState::Stopped),
        _ => node(n),
    }));
    snapshot.machine.node_cap = 2 * count;
    snapshot.machine.limits.starts = 10;
    snapshot.machine.limits.removals = 10;
    snapshot.machine.limits.operations = 10;
    snapshot
}

/// All up and nothing to wait for: new nodes are added.
#[divan::bench(args = COUNTS)]
fn growing(bencher: Bencher<'_, '_>, count: u32) {
    let mut snapshot = snapshot_of((1..=count).map(node));
    snapshot.machine.node_cap = 2 * count;
    bencher.bench_local(|| -> Plan { decide(&snapshot) });
}

/// Stopped and crashed nodes come back.
#[divan::bench(args = COUNTS)]
fn healing(bencher: Bencher<'_, '_>, count: u32) {
    let snapshot = colony(count);
    bencher.bench_local(|| -> Plan { decide(&snapshot) });
}

/// The machine is overloaded and the youngest are stopped.
#[divan::bench(args = COUNTS)]
fn shedding(bencher: Bencher<'_, '_>, count: u32) {
    let mut snapshot = colony(count);
    snapshot.load.memory = percent(90.0);
    bencher.bench_local(|| -> Plan { decide(&snapshot) });
}
