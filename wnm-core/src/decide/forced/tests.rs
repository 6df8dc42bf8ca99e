use semver::Version;

use super::{ForcedAction, ForcedRequest, Refusal};
use crate::decide::{Act, PlanKind, Reason, decide_forced};
use crate::node::{Actor, DesiredState, Node, ObservedState, TransitionKind};
use crate::quantity::Seconds;
use crate::snapshot::{Snapshot, SupervisorState};
use crate::testing::{edit, id, node, percent, seen, snapshot, snapshot_of, stopped, under_way};

use ForcedAction::{Add, Disable, Remove, Start, Stop, Upgrade};

fn ask(snapshot: &Snapshot, action: ForcedAction, nodes: &[u32], count: u32) -> Vec<String> {
    let request = ForcedRequest {
        action,
        nodes: nodes.iter().map(|n| id(*n)).collect(),
        count,
    };
    match decide_forced(snapshot, &request) {
        Err(refusal) => vec![format!("refused: {refusal}")],
        Ok(plan) => {
            for step in &plan.steps {
                assert_eq!((step.by, step.priority), (Actor::Operator, 200));
                assert_eq!(step.reason, Reason::Asked);
            }
            let idle = plan.kind == PlanKind::Idle;
            assert_eq!(idle, plan.steps.is_empty());
            let steps = plan
                .steps
                .iter()
                .map(|s| format!("{} {}", s.act.word(), s.node));
            steps
                .chain(plan.held_back.iter().map(ToString::to_string))
                .collect()
        }
    }
}

fn disabled(number: u32) -> Node {
    let mut node = stopped(number, Actor::Operator);
    edit(&mut node, |n| n.desired.state = DesiredState::Disabled);
    node
}

/// Two that run, one stopped for load, one by a person, one crashed, one disabled, one dead, one unseen.
fn mixed() -> Snapshot {
    let mut snapshot = snapshot_of([
        node(1),
        node(2),
        stopped(3, Actor::Wnm),
        stopped(4, Actor::Operator),
        seen(5, ObservedState::Stopped),
        disabled(6),
        seen(7, ObservedState::Dead),
        seen(8, ObservedState::Unknown),
    ]);
    snapshot.upgrades_enabled = true;
    snapshot
}

#[test]
fn nodes_are_chosen_as_a_cycle_chooses_and_disabled_ones_never() {
    let all = mixed();
    assert_eq!(ask(&all, Start, &[], 2), ["start 5", "start 3"]);
    assert_eq!(ask(&all, Stop, &[], 1), ["stop 2"]);
    assert_eq!(
        ask(&all, Remove, &[], 9),
        [
            "remove 7",
            "remove 5",
            "remove 3",
            "remove 4",
            "remove 2",
            "remove 1",
            "not removing: 9 asked for, 6 there",
        ]
    );
    assert_eq!(ask(&all, Remove, &[], 2), ["remove 7", "remove 5"]);
    assert_eq!(ask(&all, Add, &[], 2), ["add 9", "add 10"]);
}

#[test]
fn what_cannot_be_done_with_any_node_is_an_idle_plan() {
    let calm = snapshot_of([node(1), disabled(2)]);
    assert_eq!(ask(&calm, Start, &[], 1), ["not starting: no node for it"]);
    assert_eq!(
        ask(&calm, Upgrade, &[], 1),
        ["not upgrading: no node for it"]
    );
    let none = snapshot();
    for action in [Start, Stop, Remove, Upgrade] {
        assert_eq!(ask(&none, action, &[], 1).len(), 1);
    }
}

#[test]
fn a_person_gets_the_number_asked_for_whatever_load_and_limits() {
    let mut snapshot = snapshot_of((1..=6).map(node));
    snapshot.load.memory = percent(99.0);
    snapshot.machine.limits.removals = 0;
    assert_eq!(ask(&snapshot, Stop, &[], 3), ["stop 6", "stop 5", "stop 4"]);
    assert_eq!(ask(&snapshot, Add, &[], 1), ["add 7"]);
}

#[test]
fn named_nodes_come_in_the_order_given_and_once() {
    let all = mixed();
    assert_eq!(ask(&all, Stop, &[3, 1, 3], 0), ["stop 3", "stop 1"]);
    assert_eq!(ask(&all, Disable, &[4, 1], 0), ["disable 4", "disable 1"]);
    assert_eq!(ask(&all, Start, &[6, 4], 0), ["start 6", "start 4"]);
    assert_eq!(ask(&all, Remove, &[7, 6], 0), ["remove 7", "remove 6"]);
}

#[test]
fn what_is_already_so_is_said_and_left() {
    let all = mixed();
    assert_eq!(
        ask(&all, Start, &[1, 3], 0),
        ["start 3", "not starting: node 1: already so"]
    );
    assert_eq!(
        ask(&all, Stop, &[4, 6], 0),
        ["not stopping: nodes 4, 6: already so"]
    );
    // A node that wnm stopped, or wants to run, is not yet stopped on a person's word.
    assert_eq!(ask(&all, Stop, &[3, 5], 0), ["stop 3", "stop 5"]);
    assert_eq!(
        ask(&all, Disable, &[6], 0),
        ["not disabling: node 6: already so"]
    );
}

#[test]
fn an_upgrade_takes_the_oldest_outdated_or_any_that_run_by_name() {
    let mut snapshot = snapshot_of((1..=4).map(node).chain([stopped(5, Actor::Wnm)]));
    for n in [1, 2] {
        snapshot.nodes[n].version = Some(Version::new(0, 4, 6));
    }
    assert_eq!(
        ask(&snapshot, Upgrade, &[], 3),
        [
            "upgrade 2",
            "upgrade 3",
            "not upgrading: 3 asked for, 2 there"
        ]
    );
    assert_eq!(
        ask(&snapshot, Upgrade, &[4, 5], 0),
        ["upgrade 4", "not upgrading: node 5: not running"]
    );
    snapshot.binary = Err("none at /opt".to_owned());
    for action in [Upgrade, Add] {
        let words = ask(&snapshot, action, &[], 1);
        assert_eq!(words, ["refused: no node program: none at /opt"]);
    }
    assert_eq!(ask(&snapshot, Start, &[], 1), ["start 5"]);
}

#[test]
fn an_outdated_node_is_upgraded_as_it_starts() {
    let mut snapshot = snapshot_of([stopped(1, Actor::Operator)]);
    snapshot.nodes[0].version = Some(Version::new(0, 4, 6));
    for enabled in [false, true] {
        snapshot.upgrades_enabled = enabled;
        let request = ForcedRequest {
            action: Start,
            nodes: vec![id(1)],
            count: 0,
        };
        let plan = decide_forced(&snapshot, &request).unwrap();
        let upgrade_first = enabled;
        assert_eq!(plan.steps[0].act, Act::Start { upgrade_first });
    }
}

#[test]
fn refusals_name_what_is_wrong_and_what_to_do() {
    let mut all = mixed();
    let mut leaving = node(9);
    edit(&mut leaving, |n| n.desired.state = DesiredState::Absent);
    edit(&mut leaving, |n| {
        n.transition = Some(under_way(TransitionKind::Removing, true, Seconds(1)))
    });
    all.nodes.push(leaving);
    let mut words = vec![
        ask(&all, Stop, &[1, 12, 11], 0),
        ask(&all, Remove, &[9], 0),
        ask(&all, Stop, &[8], 0),
        ask(&all, Remove, &[8], 0),
        ask(&all, Start, &[7], 0),
        ask(&all, Add, &[20], 1),
        ask(&all, Stop, &[], 0),
        ask(&all, Add, &[], 13),
    ];
    all.machine.node_cap = 4;
    words.push(ask(&all, Start, &[3, 4], 0));
    all.machine.node_cap = u32::MAX;
    words.push(ask(&all, Add, &[], 60_000));
    all.supervisor = SupervisorState::Silent("no bus".to_owned());
    words.push(ask(&all, Stop, &[1], 0));
    insta::assert_snapshot!(words.concat().join("\n"), @r"
    refused: not found: nodes 11, 12; the node-status report lists all nodes
    refused: already being removed: node 9
    refused: state unknown: node 8; try again once the supervisor says whether it runs
    refused: state unknown: node 8; try again once the supervisor says whether it runs
    refused: dead: node 7; with its directory gone, all that can be done is to remove it
    refused: new nodes get their numbers from wnm; give --count and no --service-name
    refused: --count must be at least 1
    refused: 8 + 13 nodes would pass the cap of 20; raise it with --node-cap 21
    refused: 3 + 2 nodes would pass the cap of 4; raise it with --node-cap 5
    refused: node 10536 would need port 65536, past 65535, in the range that starts at 55000
    refused: the supervisor does not answer, so nothing can be done: no bus
    ");
}

#[test]
fn the_cap_is_reached_and_not_passed() {
    let mut snapshot = snapshot_of([node(1), node(2)]);
    snapshot.machine.node_cap = 4;
    assert_eq!(ask(&snapshot, Add, &[], 2), ["add 3", "add 4"]);
    let request = ForcedRequest {
        action: Add,
        nodes: Vec::new(),
        count: 3,
    };
    assert_eq!(
        decide_forced(&snapshot, &request),
        Err(Refusal::PastCap {
            nodes: 2,
            wanted: 3,
            cap: 4
        })
    );
    // A node that runs already takes no further place when its start is asked for.
    snapshot.machine.node_cap = 2;
    edit(&mut snapshot.nodes[0], |n| {
        n.desired.state = DesiredState::Stopped
    });
    assert_eq!(ask(&snapshot, Start, &[1], 0), ["start 1"]);
}
