use std::path::PathBuf;

use proptest::prelude::*;
use semver::Version;

use super::*;
use crate::id::NodeId;
use crate::node::{
    Actor, Desired, LifecycleState, NodeMeasurements, NodeReport, Status, Transition,
};
use crate::ports::PortBases;
use crate::testing::edit;

const NOW: UnixTime = UnixTime(1_000_000);

/// A node that is wanted to run and was last seen in `state`.
pub(in crate::node) fn node(state: ObservedState) -> Node {
    let id = NodeId::FIRST;
    Node {
        id,
        manager: crate::testing::MANAGER,
        service: "antnode0001".to_owned(),
        user: "ant".to_owned(),
        binary: PathBuf::from("/n/antnode0001/antnode"),
        version: Some(Version::new(0, 4, 16)),
        root_dir: PathBuf::from("/n/antnode0001"),
        log_dir: None,
        ports: PortBases::default().of(id).unwrap(),
        host: "127.0.0.1".to_owned(),
        network: "evm-arbitrum-one".to_owned(),
        wallet: None,
        peer_id: Some("own".to_owned()),
        container: None,
        environment: None,
        lifecycle: LifecycleState::from_record(LifecycleRecord {
            desired: Desired {
                state: DesiredState::Running,
                by: Actor::Wnm,
                since: UnixTime(0),
            },
            observed: Observed {
                state,
                at: UnixTime(0),
            },
            transition: None,
            status_since: UnixTime(0),
            last_start: Some(UnixTime(500_000)),
            failed_starts: 0,
            load_stops: 0,
        }),
        measured: NodeMeasurements {
            records: 7,
            puts: 8,
            uptime: 9,
            ..NodeMeasurements::default()
        },
        first_launch: UnixTime(0),
    }
}

fn answer(peer_id: Option<&str>) -> Option<ProbeResult> {
    Some(ProbeResult::Answered(Box::new(NodeReport {
        version: Some(Version::new(0, 4, 17)),
        peer_id: peer_id.map(str::to_owned),
        measured: NodeMeasurements {
            records: 70,
            puts: 80,
            uptime: 90,
            ..NodeMeasurements::default()
        },
    })))
}

fn evidence(process: ProcessState, probe: Option<ProbeResult>, root: DataState) -> NodeEvidence {
    NodeEvidence {
        process,
        probe,
        root,
    }
}

fn begun(kind: TransitionKind, acted: bool) -> Option<Transition> {
    Some(Transition {
        kind,
        since: UnixTime(0),
        acted,
    })
}

/// Every combination of what can be seen of a node that ran, a line each.
#[test]
fn the_table() {
    let processes = [
        ("running", ProcessState::Running { pid: None }),
        ("stopped", ProcessState::Stopped),
        ("missing", ProcessState::Missing),
        ("silent", ProcessState::Unknown("no answer".to_owned())),
    ];
    let probes = [
        ("not asked", None),
        ("refused", Some(ProbeResult::Refused)),
        ("silent", Some(ProbeResult::Silent("hangs".to_owned()))),
        ("own id", answer(Some("own"))),
        ("other id", answer(Some("other"))),
        ("no id", answer(None)),
    ];
    let mut table = String::new();
    for (process, state) in &processes {
        for (said, probe) in &probes {
            let mut line = format!("{process:8}{said:10}");
            for root in [DataState::Present, DataState::Gone, DataState::Unknown] {
                let mut node = node(ObservedState::Running);
                observe(
                    &mut node,
                    &evidence(state.clone(), probe.clone(), root),
                    NOW,
                );
                let figures = match node.measured.puts {
                    80 => "+",
                    _ => " ",
                };
                line += &format!("{:>8}{figures}", node.observed().state.as_str());
            }
            table += line.trim_end();
            table += "\n";
        }
    }
    // Columns: directory there, gone, unknown. A plus: its figures are taken.
    insta::assert_snapshot!(table, @"
    running not asked  running  running  running
    running refused    running  running  running
    running silent     running  running  running
    running own id     running+ running+ running+
    running other id   running  running  running
    running no id      running+ running+ running+
    stopped not asked  stopped     dead  unknown
    stopped refused    stopped     dead  unknown
    stopped silent     stopped     dead  unknown
    stopped own id     running+ running+ running+
    stopped other id   stopped     dead  unknown
    stopped no id      stopped     dead  unknown
    missing not asked  stopped     dead  unknown
    missing refused    stopped     dead  unknown
    missing silent     stopped     dead  unknown
    missing own id     running+ running+ running+
    missing other id   stopped     dead  unknown
    missing no id      stopped     dead  unknown
    silent  not asked  unknown  unknown  unknown
    silent  refused    unknown  unknown  unknown
    silent  silent     unknown  unknown  unknown
    silent  own id     running+ running+ running+
    silent  other id   unknown  unknown  unknown
    silent  no id      unknown  unknown  unknown
    ");
}

#[test]
fn what_a_running_node_says_is_taken_and_what_it_does_not_say_is_kept() {
    let running = ProcessState::Running { pid: Some(7) };
    let mut one = node(ObservedState::Running);
    let seen = observe(
        &mut one,
        &evidence(running.clone(), answer(Some("own")), DataState::Present),
        NOW,
    );
    let (from, to) = (Version::new(0, 4, 16), Version::new(0, 4, 17));
    assert_eq!(one.version, Some(to.clone()));
    assert_eq!(one.measured.records, 70);
    assert_eq!(one.observed().at, NOW);
    assert_eq!(seen, [NodeChange::ChangedVersion { from, to }]);

    let before = one.clone();
    let silent = Some(ProbeResult::Silent("hangs".to_owned()));
    let seen = observe(
        &mut one,
        &evidence(running.clone(), silent, DataState::Gone),
        NOW,
    );
    assert_eq!(one, before);
    assert_eq!(seen, []);

    let mut new = node(ObservedState::Stopped);
    new.peer_id = Some(String::new());
    new.version = None;
    edit(&mut new, |n| {
        n.transition = begun(TransitionKind::Adding, true)
    });
    let own = evidence(running, answer(Some("new")), DataState::Present);
    assert_eq!(observe(&mut new, &own, NOW), []);
    assert_eq!(new.peer_id.as_deref(), Some("new"));
    assert!(new.version.is_some());
}

#[test]
fn a_stopped_node_keeps_its_version_peer_id_and_what_it_earned() {
    let mut one = node(ObservedState::Running);
    let seen = observe(
        &mut one,
        &evidence(
            ProcessState::Stopped,
            Some(ProbeResult::Refused),
            DataState::Present,
        ),
        NOW,
    );
    assert_eq!(seen, [NodeChange::WentDown]);
    assert_eq!(one.version, Some(Version::new(0, 4, 16)));
    assert_eq!(one.peer_id.as_deref(), Some("own"));
    assert_eq!((one.measured.uptime, one.measured.puts), (0, 8));
    assert_eq!(one.status(), Status::Stopped);
    assert_eq!(one.status_since(), NOW);
    // NodeChange again, nothing is new.
    let again = evidence(ProcessState::Stopped, None, DataState::Present);
    assert_eq!(observe(&mut one, &again, NOW.plus(Seconds(60))), []);
    assert_eq!(one.status_since(), NOW);
}

#[test]
fn whoever_has_taken_the_port_is_not_taken_for_the_node() {
    let other = NodeChange::ForeignListener {
        peer_id: Some("other".to_owned()),
    };
    for process in [ProcessState::Running { pid: None }, ProcessState::Stopped] {
        let mut one = node(ObservedState::Stopped);
        edit(&mut one, |n| {
            n.transition = begun(TransitionKind::Starting, true)
        });
        let seen = observe(
            &mut one,
            &evidence(process, answer(Some("other")), DataState::Present),
            NOW,
        );
        assert_eq!(one.peer_id.as_deref(), Some("own"));
        assert_eq!(one.version, Some(Version::new(0, 4, 16)));
        assert_eq!(one.measured.puts, 8);
        assert_eq!(seen, std::slice::from_ref(&other));
    }
    // Without an id to compare, an answer proves nothing of a node that does not run.
    let mut one = node(ObservedState::Stopped);
    one.peer_id = None;
    let unproven = evidence(
        ProcessState::Missing,
        answer(Some("other")),
        DataState::Present,
    );
    assert_eq!(observe(&mut one, &unproven, NOW), [other]);
    assert_eq!(one.observed().state, ObservedState::Stopped);
    assert_eq!(one.peer_id, None);
}

#[test]
fn only_what_nobody_did_is_seen() {
    use ObservedState::{Dead, Running, Stopped, Unknown};
    let up = evidence(
        ProcessState::Running { pid: None },
        None,
        DataState::Present,
    );
    let down = evidence(ProcessState::Stopped, None, DataState::Present);
    let gone = evidence(ProcessState::Missing, None, DataState::Gone);
    let see = |before, evidence: &NodeEvidence, change: fn(&mut LifecycleRecord)| {
        let mut node = node(before);
        edit(&mut node, change);
        observe(&mut node, evidence, NOW)
    };
    assert_eq!(see(Stopped, &up, |_| {}), [NodeChange::CameUp]);
    assert_eq!(
        see(Dead, &up, |n| n.desired.state = DesiredState::Stopped),
        [NodeChange::CameUp]
    );
    assert_eq!(see(Unknown, &up, |_| {}), []);
    assert_eq!(
        see(Stopped, &up, |n| n.transition =
            begun(TransitionKind::Starting, false)),
        []
    );
    assert_eq!(see(Running, &down, |_| {}), [NodeChange::WentDown]);
    assert_eq!(
        see(Running, &down, |n| n.transition =
            begun(TransitionKind::Starting, true)),
        [NodeChange::WentDown]
    );
    assert_eq!(
        see(Running, &down, |n| n.transition =
            begun(TransitionKind::Stopping, true)),
        []
    );
    assert_eq!(
        see(Running, &down, |n| n.transition =
            begun(TransitionKind::Upgrading, false)),
        []
    );
    assert_eq!(
        see(Running, &down, |n| n.desired.state = DesiredState::Stopped),
        []
    );
    assert_eq!(see(Stopped, &gone, |_| {}), [NodeChange::Died]);
    assert_eq!(see(Dead, &gone, |_| {}), []);
    assert_eq!(
        see(Stopped, &gone, |n| n.desired.state = DesiredState::Absent),
        []
    );
}

#[test]
fn a_start_that_nobody_here_made_is_noted() {
    let up = |peer| {
        evidence(
            ProcessState::Running { pid: None },
            answer(peer),
            DataState::Present,
        )
    };
    let mut one = node(ObservedState::Running);
    observe(&mut one, &up(Some("own")), NOW);
    assert_eq!(
        one.last_start(),
        Some(UnixTime(NOW.0 - 90)),
        "by its uptime"
    );
    observe(&mut one, &up(Some("own")), NOW.plus(Seconds(60)));
    assert_eq!(
        one.last_start(),
        Some(UnixTime(NOW.0 - 90)),
        "within the slack"
    );
    let quiet = evidence(
        ProcessState::Running { pid: None },
        None,
        DataState::Present,
    );
    let mut one = node(ObservedState::Stopped);
    observe(&mut one, &quiet, NOW);
    assert_eq!(one.last_start(), Some(NOW), "without its uptime");
    let mut one = node(ObservedState::Stopped);
    edit(&mut one, |n| {
        n.transition = begun(TransitionKind::Starting, true)
    });
    observe(&mut one, &quiet, NOW);
    assert_eq!(
        one.last_start(),
        Some(UnixTime(500_000)),
        "by wnm, which noted it"
    );
}

fn any_state() -> impl Strategy<Value = ObservedState> {
    prop_oneof![
        Just(ObservedState::Running),
        Just(ObservedState::Stopped),
        Just(ObservedState::Dead),
        Just(ObservedState::Unknown),
    ]
}

fn any_probe() -> impl Strategy<Value = Option<ProbeResult>> {
    prop_oneof![
        Just(None),
        Just(Some(ProbeResult::Refused)),
        Just(Some(ProbeResult::Silent("hangs".to_owned()))),
        proptest::option::of("own|other|").prop_map(|id| answer(id.as_deref())),
    ]
}

fn any_root() -> impl Strategy<Value = DataState> {
    prop_oneof![
        Just(DataState::Present),
        Just(DataState::Gone),
        Just(DataState::Unknown)
    ]
}

proptest! {
    #[test]
    fn a_silent_supervisor_never_makes_a_node_stopped_or_dead(
        before in any_state(),
        probe in any_probe(),
        root in any_root(),
    ) {
        let mut one = node(before);
        let silence = ProcessState::Unknown("no answer".to_owned());
        let kept = one.clone();
        observe(&mut one, &evidence(silence, probe, root), NOW);
        prop_assert!(matches!(
            one.observed().state,
            ObservedState::Unknown | ObservedState::Running
        ));
        if one.observed().state == ObservedState::Unknown {
            prop_assert_eq!(one.last_start(), kept.last_start());
            prop_assert_eq!(one.measured, kept.measured);
        }
    }

    #[test]
    fn only_a_directory_that_is_gone_makes_a_node_dead(
        before in any_state(),
        probe in any_probe(),
        stopped: bool,
    ) {
        let process = if stopped { ProcessState::Stopped } else { ProcessState::Missing };
        for root in [DataState::Present, DataState::Unknown] {
            let mut one = node(before);
            observe(&mut one, &evidence(process.clone(), probe.clone(), root), NOW);
            prop_assert_ne!(one.observed().state, ObservedState::Dead);
        }
    }

    #[test]
    fn looking_wants_nothing_and_ends_nothing(
        before in any_state(),
        probe in any_probe(),
        root in any_root(),
        running: bool,
    ) {
        let process = if running {
            ProcessState::Running { pid: None }
        } else {
            ProcessState::Stopped
        };
        let mut one = node(before);
        edit(&mut one, |n| n.transition = begun(TransitionKind::Starting, true));
        let kept = one.clone();
        observe(&mut one, &evidence(process, probe, root), NOW);
        prop_assert_eq!(one.desired(), kept.desired());
        prop_assert_eq!(one.transition(), kept.transition());
        prop_assert_eq!(one.failed_starts(), kept.failed_starts());
    }
}
