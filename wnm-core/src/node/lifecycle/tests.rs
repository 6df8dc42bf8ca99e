//! Every state with every event, and what must hold after any sequence of events.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::machine::Delays;
use crate::node::{
    Actor, DataState, DesiredState, NodeEvidence, ObservedState, ProcessState, Transition,
    TransitionKind,
};
use crate::quantity::Seconds;
use crate::testing::{edit, machine, node};

const BEFORE: UnixTime = UnixTime(1_000_000);
const NOW: UnixTime = UnixTime(1_100_000);

const DESIRED: [DesiredState; 4] = [
    DesiredState::Running,
    DesiredState::Stopped,
    DesiredState::Disabled,
    DesiredState::Absent,
];
const OBSERVED: [ObservedState; 4] = [
    ObservedState::Running,
    ObservedState::Stopped,
    ObservedState::Dead,
    ObservedState::Unknown,
];
const KINDS: [TransitionKind; 5] = [
    TransitionKind::Adding,
    TransitionKind::Starting,
    TransitionKind::Stopping,
    TransitionKind::Upgrading,
    TransitionKind::Removing,
];

/// Everything that can happen to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Happening {
    Intend(Intent, Actor),
    Complete(Completed),
    Fail,
    Returned(bool),
    Observe(Evidence),
    Settle,
    SettleAdopted,
}

/// What a supervisor and the file system can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Evidence {
    Running,
    Stopped,
    Gone,
    Unmounted,
    Silent,
}

impl Evidence {
    fn evidence(self) -> NodeEvidence {
        let (process, root) = match self {
            Evidence::Running => (ProcessState::Running { pid: None }, DataState::Present),
            Evidence::Stopped => (ProcessState::Stopped, DataState::Present),
            Evidence::Gone => (ProcessState::Missing, DataState::Gone),
            Evidence::Unmounted => (ProcessState::Stopped, DataState::Unknown),
            Evidence::Silent => (
                ProcessState::Unknown("no answer".to_owned()),
                DataState::Present,
            ),
        };
        NodeEvidence {
            process,
            probe: None,
            root,
        }
    }
}

fn happenings() -> Vec<Happening> {
    use Happening::{Complete, Fail, Intend, Observe, Returned, Settle, SettleAdopted};
    let intents = [
        Intent::Start,
        Intent::Stop,
        Intent::Disable,
        Intent::Upgrade,
        Intent::Remove,
    ];
    let completed = [
        Completed::Started,
        Completed::Restarted,
        Completed::Upgraded,
        Completed::Stopped,
        Completed::Removed,
    ];
    let evidence = [
        Evidence::Running,
        Evidence::Stopped,
        Evidence::Gone,
        Evidence::Unmounted,
        Evidence::Silent,
    ];
    let mut all: Vec<Happening> = intents.map(|intent| Intend(intent, Actor::Wnm)).to_vec();
    all.extend(completed.map(Complete));
    all.extend([Fail, Returned(true), Returned(false)]);
    all.extend(evidence.map(Observe));
    all.extend([Settle, SettleAdopted]);
    all
}

fn happen(node: &mut Node, happening: Happening, now: UnixTime) {
    match happening {
        Happening::Intend(intent, by) => intend(node, intent, by, now),
        Happening::Complete(completed) => complete(node, completed, now),
        Happening::Fail => fail(node, now),
        Happening::Returned(started) => returned(node, started, now),
        Happening::Observe(evidence) => drop(observe(node, &evidence.evidence(), now)),
        Happening::Settle => drop(settle(node, &delays(), now)),
        Happening::SettleAdopted => settle_adopted(node, now),
    }
}

fn delays() -> Delays {
    machine().delays
}

fn in_state(
    desired: DesiredState,
    observed: ObservedState,
    transition: Option<(TransitionKind, bool)>,
) -> Node {
    let mut node = node(1);
    edit(&mut node, |n| {
        n.desired.state = desired;
        n.desired.since = BEFORE;
        n.observed.state = observed;
        n.observed.at = BEFORE;
        n.transition = transition.map(|(kind, acted)| Transition {
            kind,
            since: BEFORE,
            acted,
        });
        n.status_since = BEFORE;
        n.last_start = Some(BEFORE);
        n.failed_starts = 2;
        n.load_stops = 1;
    });
    node
}

fn transition_text(transition: Option<Transition>) -> String {
    match transition {
        None => "-".to_owned(),
        Some(step) if step.acted => format!("{} done", step.kind),
        Some(step) => step.kind.to_string(),
    }
}

/// What differs between two states, in a few words.
fn difference(before: &Node, after: &Node) -> String {
    let mut text = String::new();
    let (old, new) = (before.lifecycle.record(), after.lifecycle.record());
    if old.desired.state != new.desired.state {
        let _ = write!(text, " wants {}", new.desired.state);
    }
    if old.observed.state != new.observed.state {
        let _ = write!(text, " saw {}", new.observed.state);
    }
    if old.transition != new.transition {
        let _ = write!(text, " [{}]", transition_text(new.transition));
    }
    if old.last_start != new.last_start {
        text += match new.last_start {
            Some(_) => " start",
            None => " no-start",
        };
    }
    if old.failed_starts != new.failed_starts {
        let _ = write!(text, " failures={}", new.failed_starts);
    }
    if old.load_stops != new.load_stops {
        let _ = write!(text, " load-stops={}", new.load_stops);
    }
    match text.is_empty() {
        true => "same".to_owned(),
        false => text.trim_start().to_owned(),
    }
}

fn transitions() -> Vec<Option<(TransitionKind, bool)>> {
    let mut all = vec![None];
    for kind in KINDS {
        all.extend([Some((kind, false)), Some((kind, true))]);
    }
    all
}

/// The 176 states under one event. States that change alike share a line.
fn table_of(happening: Happening) -> String {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for transition in transitions() {
        for desired in DESIRED {
            for observed in OBSERVED {
                let before = in_state(desired, observed, transition);
                let mut after = before.clone();
                happen(&mut after, happening, NOW);
                check_one(&before, &after, happening, NOW);
                let under_way = transition_text(before.transition());
                let name = format!("{desired}/{observed}/{under_way}");
                let result = difference(&before, &after);
                match groups.iter_mut().find(|(known, _)| *known == result) {
                    Some((_, names)) => names.push(name),
                    None => groups.push((result, vec![name])),
                }
            }
        }
    }
    let mut text = String::new();
    for (result, names) in groups {
        let _ = writeln!(text, "{result}: {}", summary(&names));
    }
    text
}

/// Names of states with what they all share left out: `*` stands for every value of a part.
fn summary(names: &[String]) -> String {
    let mut rows: Vec<[Vec<String>; 3]> = Vec::new();
    for name in names {
        let parts: Vec<&str> = name.split('/').collect();
        rows.push([0, 1, 2].map(|part| vec![parts[part].to_owned()]));
    }
    // Merges rows that differ in one part only, the observed state first.
    for part in [1, 0, 2] {
        let mut merged: Vec<[Vec<String>; 3]> = Vec::new();
        for row in rows {
            let same = |other: &&mut [Vec<String>; 3]| {
                (0..3).all(|other_part| other_part == part || other[other_part] == row[other_part])
            };
            match merged.iter_mut().find(same) {
                Some(known) => known[part].extend(row[part].iter().cloned()),
                None => merged.push(row),
            }
        }
        rows = merged;
    }
    let counts = [DESIRED.len(), OBSERVED.len(), transitions().len()];
    let text = |row: &[Vec<String>; 3]| {
        let parts = [0, 1, 2].map(|part| match row[part].len() == counts[part] {
            true => "*".to_owned(),
            false => row[part].join("|"),
        });
        format!("\n    {}", parts.join(" / "))
    };
    rows.iter().map(text).collect()
}

/// `desired / observed / transition`, `*` for all of them, under what became of them.
#[test]
fn every_state_under_every_event() {
    let mut table = String::new();
    for happening in happenings() {
        let _ = writeln!(table, "## {happening:?}\n{}", table_of(happening));
    }
    insta::assert_snapshot!("matrix", table);
}

/// What one event must keep.
#[track_caller]
fn check_one(before: &Node, after: &Node, happening: Happening, now: UnixTime) {
    let (old, new) = (before.lifecycle.record(), after.lifecycle.record());
    assert!(new.failed_starts <= MOST_FAILED_STARTS);
    let changed = before.status() != after.status();
    let settled = happening == Happening::Settle;
    assert_eq!(
        new.status_since == now,
        changed || old.status_since == now || (settled && old.status_since > now),
        "{happening:?}"
    );

    let stopped = [ObservedState::Stopped, ObservedState::Dead];
    if stopped.contains(&new.observed.state) && !stopped.contains(&old.observed.state) {
        let evident = matches!(
            happening,
            Happening::Observe(Evidence::Stopped | Evidence::Gone)
                | Happening::Complete(Completed::Stopped | Completed::Removed)
        );
        assert!(
            evident,
            "{happening:?} made a node stopped without evidence"
        );
    }
    // Only intents change what is wanted, apart from adoption.
    if old.desired != new.desired {
        assert!(matches!(
            happening,
            Happening::Intend(..) | Happening::SettleAdopted
        ));
    }
    // What is to be removed stays so.
    if old.desired.state == DesiredState::Absent && happening != Happening::SettleAdopted {
        assert_eq!(new.desired.state, DesiredState::Absent, "{happening:?}");
    }
}

/// Whether a run can go on from a record: what is under way belongs to what is wanted.
fn can_be_resumed(node: &Node) -> bool {
    let desired = node.desired().state;
    match node.transition().map(|step| step.kind) {
        None => desired != DesiredState::Absent,
        Some(TransitionKind::Removing) => desired == DesiredState::Absent,
        Some(TransitionKind::Adding | TransitionKind::Starting) => desired == DesiredState::Running,
        Some(TransitionKind::Stopping) => {
            matches!(desired, DesiredState::Stopped | DesiredState::Disabled)
        }
        Some(TransitionKind::Upgrading) => desired != DesiredState::Absent,
    }
}

fn any_actor() -> impl Strategy<Value = Actor> {
    select(vec![Actor::Wnm, Actor::Operator, Actor::Found])
}

fn any_record() -> impl Strategy<Value = LifecycleRecord> {
    let time = || (0..2_000_000_i64).prop_map(UnixTime);
    (
        (select(DESIRED.to_vec()), any_actor(), time()),
        (select(OBSERVED.to_vec()), time()),
        proptest::option::of((select(KINDS.to_vec()), any::<bool>(), time())),
        (time(), proptest::option::of(time())),
        any::<(u32, u32)>(),
    )
        .prop_map(
            |(desired, observed, transition, times, counts)| LifecycleRecord {
                desired: crate::node::Desired {
                    state: desired.0,
                    by: desired.1,
                    since: desired.2,
                },
                observed: crate::node::Observed {
                    state: observed.0,
                    at: observed.1,
                },
                transition: transition.map(|(kind, acted, since)| Transition {
                    kind,
                    since,
                    acted,
                }),
                status_since: times.0,
                last_start: times.1,
                failed_starts: counts.0,
                load_stops: counts.1,
            },
        )
}

/// An event as a cycle makes it happen: an act that was begun is answered before the next begins.
#[derive(Debug, Clone)]
enum Move {
    Act(Intent, Actor, Option<bool>),
    Event(Happening),
}

fn any_move() -> impl Strategy<Value = (Move, u64)> {
    let intents = vec![
        Intent::Start,
        Intent::Stop,
        Intent::Disable,
        Intent::Upgrade,
        Intent::Remove,
    ];
    let events: Vec<Happening> = happenings()
        .into_iter()
        .filter(|happening| {
            matches!(
                happening,
                Happening::Observe(_) | Happening::Settle | Happening::Returned(_)
            )
        })
        .collect();
    let act = (select(intents), any_actor(), any::<Option<bool>>());
    let moved = prop_oneof![
        act.prop_map(|(intent, by, outcome)| Move::Act(intent, by, outcome)),
        select(events).prop_map(Move::Event),
    ];
    (moved, 0..2_000_u64)
}

/// What the supervisor confirms of the act under way.
fn confirmed(node: &Node) -> Option<Completed> {
    Some(match node.transition().filter(|step| !step.acted)?.kind {
        TransitionKind::Adding | TransitionKind::Starting => Completed::Started,
        TransitionKind::Stopping => Completed::Stopped,
        TransitionKind::Upgrading => Completed::Upgraded,
        TransitionKind::Removing => Completed::Removed,
    })
}

proptest! {
    #[test]
    fn any_event_keeps_the_bounds_in_any_state(record in any_record(), place in 0..64_usize) {
        let all = happenings();
        let happening = all[place % all.len()];
        let mut node = node(1);
        node.lifecycle = LifecycleState::from_record(record);
        let before = node.clone();
        happen(&mut node, happening, NOW);
        check_one(&before, &node, happening, NOW);
    }

    #[test]
    fn no_time_lies_in_the_future_once_settled(record in any_record()) {
        let mut node = node(1);
        node.lifecycle = LifecycleState::from_record(record);
        settle(&mut node, &delays(), NOW);
        prop_assert!(node.status_since() <= NOW);
        prop_assert!(node.last_start().is_none_or(|at| at <= NOW));
        prop_assert!(node.transition().is_none_or(|step| step.since <= NOW));
    }

    #[test]
    fn a_run_can_go_on_from_every_record(
        by in any_actor(),
        moves in proptest::collection::vec(any_move(), 1..40),
    ) {
        let mut node = node(1);
        let mut now = BEFORE;
        node.lifecycle = LifecycleState::adding(by, now);
        prop_assert!(can_be_resumed(&node));
        for (moved, seconds) in moves {
            now = now.plus(Seconds(seconds));
            match moved {
                Move::Act(intent, by, outcome) => {
                    intend(&mut node, intent, by, now);
                    prop_assert!(can_be_resumed(&node), "{:?}", node.lifecycle);
                    match (outcome, confirmed(&node)) {
                        (Some(true), Some(completed)) => complete(&mut node, completed, now),
                        (Some(false), _) => fail(&mut node, now),
                        _ => {}
                    }
                }
                Move::Event(happening) => happen(&mut node, happening, now),
            }
            prop_assert!(can_be_resumed(&node), "{:?}", node.lifecycle);
            let record = node.lifecycle.record();
            prop_assert!(record.failed_starts <= MOST_FAILED_STARTS);
            prop_assert!(record.status_since <= now && record.observed.at <= now);
            prop_assert!(record.last_start.is_none_or(|at| at <= now));
            let stored = LifecycleState::from_record(record);
            prop_assert_eq!(stored, node.lifecycle);
        }
    }

    #[test]
    fn a_stored_state_reads_back_from_json(record in any_record()) {
        let mut node = node(1);
        node.lifecycle = LifecycleState::from_record(record);
        let text = serde_json::to_string(&node).unwrap();
        prop_assert_eq!(serde_json::from_str::<Node>(&text).unwrap(), node);
    }
}
