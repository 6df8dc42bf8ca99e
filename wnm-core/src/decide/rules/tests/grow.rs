//! Healing, upgrading, starting, adding.

use semver::Version;

use super::{Case, acts, ago, assert_held, limits, steps, wanted, with_step};
use crate::decide::{Act, decide};
use crate::node::{Actor, DesiredState, Node, ObservedState, TransitionKind};
use crate::numbering::IdPolicy;
use crate::ports::PortBase;
use crate::quantity::Seconds;
use crate::snapshot::BlockedId;
use crate::testing::{NOW, edit, id, load, node, percent, seen, snapshot, snapshot_of, stopped};

fn version(mut node: Node, patch: u64) -> Node {
    node.version = Some(Version::new(0, 4, patch));
    node
}

fn crashed(number: u32, failed_starts: u32, started_ago: i64) -> Node {
    let mut node = seen(number, ObservedState::Stopped);
    edit(&mut node, |n| n.failed_starts = failed_starts);
    edit(&mut node, |n| n.last_start = Some(ago(started_ago)));
    node
}

/// Stopped for load so often in a row, so long ago.
fn shed(number: u32, load_stops: u32, stopped_ago: i64) -> Node {
    let mut node = stopped(number, Actor::Wnm);
    edit(&mut node, |n| n.load_stops = load_stops);
    edit(&mut node, |n| n.desired.since = ago(stopped_ago));
    node
}

#[test]
fn a_machine_with_room_adds_one_and_says_how_much_room() {
    let mut snapshot = snapshot_of([node(1), node(3)]);
    assert_eq!(
        steps(&snapshot),
        ["add 2 (40): 2 of at most 20 nodes, disk 30 % < 75 %"]
    );
    limits(&mut snapshot, 3, 9);
    assert_eq!(acts(&snapshot), ["add 2", "add 4", "add 5"]);
    snapshot.machine.node_cap = 4;
    assert_eq!(acts(&snapshot), ["add 2", "add 4"]);
    snapshot.machine.node_cap = 2;
    assert!(acts(&snapshot).is_empty());
    assert_held(&snapshot, "not adding: 2 nodes ≥ cap 2");
}

#[test]
fn each_value_at_its_threshold_keeps_from_adding_and_from_starting() {
    let cases: [Case; 6] = [
        (|s| s.load.cpu = percent(50.0), "cpu 50 % ≥ 50 %"),
        (|s| s.load.memory = percent(63.0), "memory 63 % ≥ 60 %"),
        (|s| s.load.disk = percent(75.0), "disk 75 % ≥ 75 %"),
        (|s| s.load.load.one = load(2.4), "load over 1 min 2.4 ≥ 2.4"),
        (|s| s.load.load.five = load(3.0), "load over 5 min 3 ≥ 2.4"),
        (
            |s| s.load.load.fifteen = load(4.0),
            "load over 15 min 4 ≥ 2.4",
        ),
    ];
    for (hinder, reason) in cases {
        let mut snapshot = snapshot_of([node(1), stopped(2, Actor::Wnm)]);
        hinder(&mut snapshot);
        assert!(acts(&snapshot).is_empty(), "{reason}");
        assert_held(&snapshot, &format!("not starting: {reason}"));
        assert_held(&snapshot, &format!("not adding: {reason}"));
    }
}

#[test]
fn nothing_is_added_while_the_load_of_a_change_settles() {
    let mut snapshot = snapshot_of([
        node(1),
        with_step(node(2), TransitionKind::Upgrading, true, 10),
    ]);
    limits(&mut snapshot, 3, 9);
    assert!(acts(&snapshot).is_empty());
    assert_held(&snapshot, "not adding: operations under way: 1");
}

#[test]
fn a_crashed_node_comes_back_in_the_gap_once_its_wait_is_over() {
    let mut snapshot = snapshot_of([node(1), crashed(2, 0, 10)]);
    snapshot.load.memory = percent(70.0);
    assert_eq!(
        steps(&snapshot),
        ["start 2 (65): wanted running, seen stopped"]
    );

    snapshot.nodes[1] = crashed(2, 3, 239);
    assert!(acts(&snapshot).is_empty());
    assert_held(&snapshot, "not starting: 1 node waits, for another 1 s");
    snapshot.nodes[1] = crashed(2, 3, 240);
    assert_eq!(
        steps(&snapshot),
        ["start 2 (65): wanted running, seen stopped (3 starts did not last)"]
    );
    edit(&mut snapshot.nodes[1], |n| n.last_start = None);
    assert_eq!(acts(&snapshot), ["start 2"]);
}

#[test]
fn a_node_that_waits_keeps_new_ones_out_until_it_is_hopeless() {
    let mut snapshot = snapshot_of([node(1), crashed(2, 7, 0)]);
    assert!(acts(&snapshot).is_empty());
    assert_held(&snapshot, "not adding: 1 node waits, for another 60 min");
    edit(&mut snapshot.nodes[1], |n| n.failed_starts = 8);
    assert_eq!(acts(&snapshot), ["add 3"]);
}

#[test]
fn a_node_stopped_for_load_waits_longer_each_time() {
    for (stops, wait) in [(0, 600), (1, 600), (2, 1200), (4, 4800), (99, 345_600)] {
        let mut snapshot = snapshot_of([node(1), shed(2, stops, wait - 1)]);
        assert!(acts(&snapshot).is_empty(), "{stops}");
        assert_held(&snapshot, "not adding: 1 node waits, for another 1 s");
        snapshot.nodes[1] = shed(2, stops, wait);
        assert_eq!(acts(&snapshot), ["start 2"], "{stops}");
    }
}

#[test]
fn the_oldest_is_started_first_and_new_ones_come_last() {
    let mut snapshot = snapshot_of([shed(4, 1, 900), shed(2, 1, 900), crashed(3, 0, 0), node(1)]);
    assert_eq!(acts(&snapshot), ["start 3"]);
    limits(&mut snapshot, 4, 4);
    assert_eq!(
        steps(&snapshot),
        [
            "start 3 (65): wanted running, seen stopped",
            "start 2 (50): stopped for load 15 min ago, disk 30 % < 75 %",
            "start 4 (50): stopped for load 15 min ago, disk 30 % < 75 %",
            "add 5 (40): 4 of at most 20 nodes, disk 30 % < 75 %",
        ]
    );
    // At the cap what was stopped still comes back.
    snapshot.machine.node_cap = 4;
    assert_eq!(acts(&snapshot), ["start 3", "start 2", "start 4"]);
}

#[test]
fn what_a_person_stopped_stays_stopped_and_keeps_nobody_out() {
    let snapshot = snapshot_of([node(1), stopped(2, Actor::Operator)]);
    assert_eq!(acts(&snapshot), ["add 3"]);
    assert_held(&snapshot, "not starting: node 2 was stopped by a person");
    let absent = wanted(node(2), DesiredState::Absent, Actor::Operator, 9);
    let absent = with_step(absent, TransitionKind::Removing, true, 9);
    assert!(acts(&snapshot_of([absent])).is_empty());
}

#[test]
fn the_oldest_outdated_nodes_are_upgraded_before_anything_is_added() {
    let mut snapshot = snapshot_of([
        version(node(3), 6),
        version(node(2), 5),
        node(1),
        version(stopped(4, Actor::Operator), 5),
    ]);
    let mut nameless = node(5);
    nameless.version = None;
    snapshot.nodes.push(nameless);
    assert_held(&snapshot, "not upgrading: nodes upgrade themselves");

    snapshot.upgrades_enabled = true;
    assert_eq!(steps(&snapshot), ["upgrade 2 (60): version 0.4.5 < 0.4.7"]);
    limits(&mut snapshot, 5, 5);
    assert_eq!(acts(&snapshot), ["upgrade 2", "upgrade 3"]);
    assert_held(&snapshot, "not adding: upgrading goes first");
    snapshot.machine.limits.upgrades = 0;
    assert_held(
        &snapshot,
        "not upgrading: 0 of at most 0 upgrades under way",
    );

    limits(&mut snapshot, 5, 5);
    snapshot.load.memory = percent(80.0);
    assert!(!acts(&snapshot).iter().any(|act| act.starts_with("upgrade")));
}

#[test]
fn a_node_whose_upgrade_failed_waits_before_the_next_try_and_holds_up_no_other() {
    let mut snapshot = snapshot_of([version(node(1), 5), version(node(2), 6)]);
    snapshot.upgrades_enabled = true;
    edit(&mut snapshot.nodes[0], |n| n.failed_starts = 1);
    edit(&mut snapshot.nodes[0], |n| n.last_start = Some(NOW));
    assert_eq!(acts(&snapshot), ["upgrade 2"]);
    assert_held(&snapshot, "not upgrading: 1 node waits, for another 60 s");
    snapshot.taken_at = NOW.plus(Seconds(60));
    assert_eq!(acts(&snapshot), ["upgrade 1"]);
}

#[test]
fn an_older_binary_upgrades_nobody_and_is_warned_about() {
    let mut snapshot = snapshot_of([version(node(1), 6), version(node(2), 8)]);
    snapshot.upgrades_enabled = true;
    snapshot.machine.node_cap = 2;
    assert!(acts(&snapshot).is_empty());
    let line = "node program 0.4.7 is older than node 2 (0.4.8)";
    assert_held(&snapshot, &format!("not upgrading: {line}"));
    let warnings = decide(&snapshot).warnings;
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].to_string(), line);
    snapshot.nodes.pop();
    assert_eq!(acts(&snapshot), ["upgrade 1"]);
    snapshot.nodes[0] = node(1);
    assert_held(
        &snapshot,
        "not upgrading: no running node is older than 0.4.7",
    );
}

#[test]
fn an_outdated_stopped_node_is_upgraded_as_it_starts() {
    let mut snapshot = snapshot_of([version(shed(1, 1, 900), 6)]);
    let start = |upgrade_first| Act::Start { upgrade_first };
    assert_eq!(decide(&snapshot).steps[0].act, start(false));
    snapshot.upgrades_enabled = true;
    assert_eq!(decide(&snapshot).steps[0].act, start(true));
    snapshot.nodes[0] = shed(1, 1, 900);
    assert_eq!(decide(&snapshot).steps[0].act, start(false));
}

#[test]
fn without_a_binary_only_what_is_there_is_started() {
    let mut snapshot = snapshot_of([node(1)]);
    snapshot.upgrades_enabled = true;
    snapshot.binary = Err("/opt/antnode does not exist".to_owned());
    assert!(acts(&snapshot).is_empty());
    for doing in ["adding", "upgrading"] {
        let line = format!("not {doing}: no node program: /opt/antnode does not exist");
        assert_held(&snapshot, &line);
    }
    snapshot.nodes.push(shed(2, 1, 900));
    assert_eq!(acts(&snapshot), ["start 2"]);
}

#[test]
fn numbers_in_use_blocked_or_without_ports_are_not_given() {
    let mut snapshot = snapshot();
    limits(&mut snapshot, 2, 2);
    snapshot.blocked_ids = vec![BlockedId {
        id: id(2),
        reason: "port 13002 is taken".to_owned(),
    }];
    snapshot.nodes.push(with_step(
        wanted(node(1), DesiredState::Absent, Actor::Wnm, 900),
        TransitionKind::Removing,
        true,
        900,
    ));
    edit(&mut snapshot.nodes[0], |n| {
        n.observed.state = ObservedState::Stopped
    });
    assert_eq!(acts(&snapshot), ["forget 1", "add 3", "add 4"]);
    assert_eq!(
        decide(&snapshot).warnings[0].to_string(),
        "number 2 cannot be given: port 13002 is taken"
    );

    // A manager that only counts upwards does not leap over all below a blocked number.
    snapshot.policy.ids = IdPolicy::GrowOnly;
    snapshot.machine.highest_id = Some(id(7));
    snapshot.blocked_ids[0].id = id(9);
    assert_eq!(acts(&snapshot), ["forget 1", "add 8", "add 10"]);

    snapshot.machine.highest_id = Some(id(534));
    snapshot.machine.ports.node = PortBase::from_number(65).unwrap();
    assert_eq!(acts(&snapshot), ["forget 1", "add 535"]);
    assert_held(
        &snapshot,
        "not adding: node 536 would need port 65536, past 65535, in the range that starts at 65000",
    );
}

#[test]
fn a_disk_that_all_nodes_would_overfill_is_a_warning_and_no_more() {
    let mut snapshot = snapshot_of([node(1), node(2)]);
    snapshot.load.disk_total = 4_000_000_000;
    assert_eq!(acts(&snapshot), ["add 3"]);
    let warning = decide(&snapshot).warnings[0].to_string();
    assert_eq!(warning, "disk once all nodes are full 111.1 % > 100 %");
    snapshot.load.disk_total = 0;
    assert!(decide(&snapshot).warnings.is_empty());
}
