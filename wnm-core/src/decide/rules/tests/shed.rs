//! Pressure: which, against what, and how much goes for it.

use super::{Case, acts, ago, assert_held, limits, steps, with_step};
use crate::machine::{Band, IoBands, RemovalStrategy};
use crate::node::{Actor, ObservedState, TransitionKind};
use crate::quantity::ByteRate;
use crate::snapshot::Snapshot;
use crate::testing::{load, node, percent, seen, snapshot_of, stopped};

fn three() -> Snapshot {
    snapshot_of((1..=3).map(node))
}

fn rates(add: u64, remove: u64) -> Band<ByteRate> {
    Band {
        add_below: ByteRate(add),
        remove_above: ByteRate(remove),
    }
}

#[test]
fn each_value_above_its_threshold_stops_the_youngest() {
    let cases: [Case; 8] = [
        (|s| s.load.cpu = percent(70.1), "cpu 70.1 % > 70 %"),
        (|s| s.load.memory = percent(75.5), "memory 75.5 % > 75 %"),
        (|s| s.load.load.one = load(4.1), "load over 1 min 4.1 > 4"),
        (|s| s.load.load.five = load(4.1), "load over 5 min 4.1 > 4"),
        (
            |s| s.load.load.fifteen = load(9.0),
            "load over 15 min 9 > 4",
        ),
        (
            |s| {
                s.machine.thresholds.disk_io.read = rates(10, 20);
                s.machine.thresholds.disk_io.write = rates(10, 20);
                s.load.disk_io.write = ByteRate(21);
            },
            "disk write 21 B/s > 20 B/s",
        ),
        (
            |s| {
                s.machine.thresholds.net_io.read = rates(10, 20);
                s.machine.thresholds.net_io.write = rates(10, 20);
                s.load.net_io.read = ByteRate(21);
            },
            "network in 21 B/s > 20 B/s",
        ),
        (
            |s| {
                s.machine.thresholds.net_io.read = rates(10, 20);
                s.machine.thresholds.net_io.write = rates(10, 20);
                s.load.net_io.write = ByteRate(21);
            },
            "network out 21 B/s > 20 B/s",
        ),
    ];
    for (press, reason) in cases {
        let mut snapshot = three();
        press(&mut snapshot);
        assert_eq!(steps(&snapshot), [format!("stop 3 (70): {reason}")]);
        assert_held(&snapshot, &format!("not adding: {reason}"));
    }
}

#[test]
fn a_value_at_its_threshold_presses_not() {
    let mut snapshot = three();
    snapshot.load.cpu = percent(70.0);
    snapshot.load.memory = percent(75.0);
    snapshot.load.disk = percent(90.0);
    snapshot.load.load.five = load(4.0);
    assert!(acts(&snapshot).is_empty());
    // Traffic counts only once the four figures of its family are above one in sum.
    snapshot.load.net_io.write = ByteRate(u64::MAX);
    snapshot.machine.thresholds.net_io = IoBands::OFF;
    snapshot.machine.thresholds.net_io.read = rates(1, 0);
    assert!(acts(&snapshot).is_empty());
    snapshot.machine.thresholds.net_io.read = rates(1, 1);
    assert_eq!(acts(&snapshot), ["stop 3"]);
}

#[test]
fn the_strategy_says_who_goes_first() {
    let mut snapshot = three();
    snapshot.load.memory = percent(80.0);
    snapshot.nodes[1].measured.shunned = 4;
    for (strategy, act) in [
        (RemovalStrategy::Youngest, "stop 3"),
        (RemovalStrategy::Oldest, "stop 1"),
        (RemovalStrategy::MostShunned, "stop 2"),
    ] {
        snapshot.machine.removal_strategy = strategy;
        assert_eq!(acts(&snapshot), [act]);
    }
}

#[test]
fn a_stop_waits_for_the_effect_of_the_last() {
    let mut snapshot = three();
    snapshot.load.memory = percent(80.0);
    limits(&mut snapshot, 2, 2);
    assert_eq!(acts(&snapshot), ["stop 3", "stop 2"]);

    snapshot.machine.last_stopped_at = Some(ago(299));
    assert!(acts(&snapshot).is_empty());
    assert_held(
        &snapshot,
        "not stopping: one was stopped 4 min ago, which is given 5 min",
    );
    snapshot.machine.last_stopped_at = Some(ago(300));
    assert_eq!(acts(&snapshot).len(), 2);

    // A clock that once ran ahead does not hold it for ever.
    snapshot.machine.last_stopped_at = Some(ago(-1_000_000));
    assert_eq!(acts(&snapshot).len(), 2);

    let leaving = with_step(stopped(4, Actor::Wnm), TransitionKind::Removing, true, 100);
    snapshot.nodes.push(leaving);
    assert!(acts(&snapshot).is_empty());
    assert_held(&snapshot, "not stopping: removals under way: 1");
}

#[test]
fn nodes_whose_load_still_settles_are_not_stopped() {
    let mut snapshot = snapshot_of([with_step(node(1), TransitionKind::Starting, true, 10)]);
    snapshot.load.memory = percent(80.0);
    limits(&mut snapshot, 2, 2);
    assert!(acts(&snapshot).is_empty());
    assert_held(&snapshot, "not stopping: no node for it");
}

#[test]
fn a_full_disk_costs_stopped_nodes_first_and_a_persons_last_of_these() {
    let mut snapshot = snapshot_of([
        node(1),
        node(5),
        stopped(2, Actor::Wnm),
        seen(3, ObservedState::Stopped),
        stopped(4, Actor::Operator),
    ]);
    snapshot.load.disk = percent(90.5);
    assert_eq!(steps(&snapshot), ["remove 3 (80): disk 90.5 % > 90 %"]);
    limits(&mut snapshot, 4, 4);
    assert_eq!(
        steps(&snapshot),
        [
            "remove 3 (80): disk 90.5 % > 90 %",
            "remove 2 (80): disk 90.5 % > 90 %",
            "remove 4 (80): disk 90.5 % > 90 %",
            "remove 5 (75): disk 90.5 % > 90 %",
        ]
    );
    limits(&mut snapshot, 0, 4);
    assert!(acts(&snapshot).is_empty());
    assert_held(&snapshot, "not removing: 0 of at most 0 removals under way");
}

#[test]
fn over_the_cap_only_as_many_go_as_exceed_it() {
    let mut snapshot = snapshot_of((1..=5).map(node).chain([stopped(6, Actor::Wnm)]));
    limits(&mut snapshot, 9, 9);
    snapshot.machine.node_cap = 4;
    assert_eq!(
        steps(&snapshot),
        [
            "remove 6 (80): 6 nodes > cap 4",
            "remove 5 (75): 6 nodes > cap 4"
        ]
    );
    // What is being removed no longer counts.
    let leaving = with_step(snapshot.nodes.remove(5), TransitionKind::Removing, true, 9);
    snapshot.nodes.push(leaving);
    assert_eq!(acts(&snapshot), ["remove 5"]);
    snapshot.machine.node_cap = 5;
    assert!(acts(&snapshot).is_empty());
}

#[test]
fn the_cap_alone_stops_nobody_and_pressure_keeps_crashed_nodes_down() {
    let mut snapshot = three();
    snapshot.machine.node_cap = 3;
    assert!(acts(&snapshot).is_empty());
    snapshot.nodes[0] = seen(1, ObservedState::Stopped);
    assert_eq!(acts(&snapshot), ["start 1"]);
    snapshot.load.memory = percent(76.0);
    assert_eq!(acts(&snapshot), ["stop 3"]);
    assert_held(&snapshot, "not starting: memory 76 % > 75 %");
}
