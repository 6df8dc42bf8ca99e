//! What must hold for any snapshot, however odd.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use semver::Version;

use super::{Act, ForcedAction, ForcedRequest, Measure, Plan, Reason, decide, decide_forced};
use crate::id::NodeId;
use crate::machine::{Band, IoBands, Limits, RemovalStrategy};
use crate::node::{Actor, Desired, DesiredState, Node, ObservedState, Transition, TransitionKind};
use crate::numbering::IdPolicy;
use crate::quantity::{ByteRate, Seconds, UnixTime};
use crate::snapshot::{BlockedId, Snapshot, SupervisorState};
use crate::testing::{self, NOW, edit, id, load, percent, snapshot};

const CASES: u32 = 6000;

/// Times around now, where delays end, and far off.
fn time() -> impl Strategy<Value = UnixTime> {
    prop_oneof![
        20 => (0i64..2000).prop_map(|ago| UnixTime(NOW.0 - ago)),
        2 => (0i64..2_000_000).prop_map(|ago| UnixTime(NOW.0 - ago)),
        1 => prop_oneof![Just(i64::MIN), Just(0), Just(i64::MAX)].prop_map(UnixTime),
    ]
}

fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![3 => Just(Actor::Wnm), 1 => Just(Actor::Operator), 1 => Just(Actor::Found)]
}

fn transition() -> impl Strategy<Value = Option<Transition>> {
    let kind = prop_oneof![
        Just(TransitionKind::Adding),
        Just(TransitionKind::Starting),
        Just(TransitionKind::Stopping),
        Just(TransitionKind::Upgrading),
        Just(TransitionKind::Removing),
    ];
    let step = (kind, time(), any::<bool>()).prop_map(|(kind, since, acted)| Transition {
        kind,
        since,
        acted,
    });
    prop_oneof![6 => Just(None), 1 => step.prop_map(Some)]
}

fn node() -> impl Strategy<Value = Node> {
    let desired = prop_oneof![
        6 => Just(DesiredState::Running),
        3 => Just(DesiredState::Stopped),
        1 => Just(DesiredState::Disabled),
        1 => Just(DesiredState::Absent),
    ];
    let observed = prop_oneof![
        8 => Just(ObservedState::Running),
        4 => Just(ObservedState::Stopped),
        1 => Just(ObservedState::Dead),
        1 => Just(ObservedState::Unknown),
    ];
    let counts = prop_oneof![4 => 0u32..10, 1 => Just(u32::MAX)];
    (
        (desired, actor(), time()),
        (observed, transition()),
        (
            proptest::option::of(5u64..10),
            time(),
            proptest::option::of(time()),
        ),
        (counts.clone(), counts),
    )
        .prop_map(
            |((state, by, since), (observed, transition), seen, counts)| {
                let mut node = testing::node(1);
                edit(&mut node, |n| {
                    n.desired = Desired { state, by, since };
                    n.observed.state = observed;
                    n.transition = transition;
                    n.last_start = seen.2;
                    (n.failed_starts, n.load_stops) = counts;
                });
                node.version = seen.0.map(|patch| Version::new(0, 4, patch));
                node.first_launch = seen.1;
                node
            },
        )
}

/// Some nodes of different numbers; seldom one with the highest number there is.
fn nodes() -> impl Strategy<Value = Vec<Node>> {
    let ids = prop_oneof![
        9 => proptest::collection::btree_set(1u32..14, 0..9),
        1 => proptest::collection::btree_set(u32::MAX - 3..=u32::MAX, 0..3),
    ];
    ids.prop_flat_map(|ids| {
        proptest::collection::vec(node(), ids.len()).prop_map(move |mut nodes| {
            for (node, number) in nodes.iter_mut().zip(&ids) {
                node.id = id(*number);
            }
            nodes
        })
    })
}

fn few() -> impl Strategy<Value = u32> {
    prop_oneof![9 => 0u32..6, 1 => Just(u32::MAX)]
}

/// Mostly calm, sometimes in the gap, sometimes above, seldom absurd.
fn level() -> impl Strategy<Value = f64> {
    prop_oneof![
        30 => Just(20.0),
        2 => Just(65.0),
        2 => Just(95.0),
        1 => prop_oneof![Just(0.0), Just(60.0), Just(75.0), Just(f64::MAX)],
    ]
}

fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let machine = (
        few(),
        few(),
        few(),
        few(),
        prop_oneof![9 => 0u32..12, 1 => Just(u32::MAX)],
    );
    let times = (proptest::option::of(time()), any::<bool>(), 0usize..5);
    let loads = (level(), level(), level(), level(), any::<u8>());
    let odd = (0u8..12, 0u8..12, any::<bool>(), 0u8..8, few());
    (nodes(), machine, times, loads, odd).prop_map(|(nodes, machine, times, loads, odd)| {
        let mut snapshot = snapshot();
        snapshot.nodes = nodes;
        let set = &mut snapshot.machine;
        set.limits = Limits {
            upgrades: machine.0,
            starts: machine.1,
            removals: machine.2,
            operations: machine.3,
        };
        set.node_cap = machine.4;
        set.last_stopped_at = times.0;
        set.removal_strategy = RemovalStrategy::ALL[times.2];
        if times.1 {
            set.thresholds.net_io = io_bands(1000, 2000);
        }
        snapshot.load.cpu = percent(loads.0);
        snapshot.load.memory = percent(loads.1);
        snapshot.load.disk = percent(loads.2);
        snapshot.load.load.five = load(loads.3 / 20.0);
        snapshot.load.net_io.read = ByteRate(u64::from(loads.4) * 10);
        snapshot.rebooted = odd.0 == 0;
        if odd.1 == 0 {
            snapshot.supervisor = SupervisorState::Silent("asleep".to_owned());
        }
        snapshot.upgrades_enabled = odd.2;
        if odd.3 == 0 {
            snapshot.binary = Err("none".to_owned());
            snapshot.policy.ids = IdPolicy::GrowOnly;
        }
        snapshot.blocked_ids = NodeId::new(odd.4)
            .map(|id| BlockedId {
                id,
                reason: "taken".to_owned(),
            })
            .into_iter()
            .collect();
        snapshot
    })
}

fn io_bands(add: u64, remove: u64) -> IoBands {
    let band = Band {
        add_below: ByteRate(add),
        remove_above: ByteRate(remove),
    };
    IoBands {
        read: band,
        write: band,
    }
}

/// Whether a step was under way with it before, so that taking it up again begins nothing new.
fn was_under_way(node: &Node, kinds: &[TransitionKind]) -> bool {
    node.transition().is_some_and(|step| {
        kinds.contains(&step.kind) && !(step.acted && step.kind == TransitionKind::Stopping)
    })
}

/// Whether it counts among what is under way: not when its removal is over, not when it was lost long ago.
fn counts(node: &Node, forgotten: &BTreeSet<NodeId>) -> bool {
    let lost = node.observed().state == ObservedState::Unknown
        && node
            .transition()
            .is_some_and(|step| !step.acted && NOW.since(step.since) >= Seconds(3600));
    !forgotten.contains(&node.id) && !lost
}

fn check_steps(snapshot: &Snapshot, plan: &Plan) -> Result<(), TestCaseError> {
    let by_id: BTreeMap<NodeId, &Node> = snapshot.nodes.iter().map(|n| (n.id, n)).collect();
    let mut chosen = BTreeSet::new();
    for step in &plan.steps {
        prop_assert!(chosen.insert(step.node), "chosen twice: {step:?}");
        prop_assert_eq!(step.by, Actor::Wnm);
        let Some(node) = by_id.get(&step.node) else {
            prop_assert_eq!(step.act, Act::Add);
            prop_assert!(!snapshot.blocked_ids.iter().any(|b| b.id == step.node));
            continue;
        };
        prop_assert_ne!(step.act, Act::Add, "a number given twice");
        if node.observed().state == ObservedState::Unknown {
            // Its removal was done; only its row is left.
            prop_assert_eq!(step.act, Act::Forget);
        }
        if node.is_disabled() && step.act != Act::Forget {
            let untouched = step.act == Act::Resume
                || step.act == Act::Remove && node.under_way() == Some(TransitionKind::Removing);
            prop_assert!(untouched, "{step:?}");
        }
        if step.act == Act::Resume {
            prop_assert!(node.transition().is_some_and(|t| !t.acted));
        }
        if let Act::Start { .. } = step.act {
            let parked = node.desired().state == DesiredState::Stopped
                && node.desired().by == Actor::Operator;
            prop_assert!(!parked, "a person's stop undone");
        }
        if step.act == Act::Remove {
            check_removal(snapshot, node, &step.reason)?;
        }
    }
    Ok(())
}

/// Data goes only for the disk, the cap, a dead node, or because it was to go already.
fn check_removal(snapshot: &Snapshot, node: &Node, reason: &Reason) -> Result<(), TestCaseError> {
    let cause = match reason {
        Reason::DirectoryGone => node.observed().state == ObservedState::Dead,
        Reason::NotGone { .. } => {
            !node.is_kept() || node.under_way() == Some(TransitionKind::Removing)
        }
        Reason::Measured(figure) => {
            figure.measure == Measure::Disk
                && snapshot.load.disk > snapshot.machine.thresholds.disk.remove_above
        }
        Reason::OverCap { nodes, cap } => nodes > cap && *cap == snapshot.machine.node_cap,
        _ => false,
    };
    prop_assert!(cause, "{reason:?}");
    Ok(())
}

fn check_bounds(snapshot: &Snapshot, plan: &Plan) -> Result<(), TestCaseError> {
    let count = |acts: &dyn Fn(&Act) -> bool| plan.steps.iter().filter(|s| acts(&s.act)).count();
    let starts = count(&|act| matches!(act, Act::Add | Act::Start { .. }));
    let adds = count(&|act| *act == Act::Add);
    let upgrades = count(&|act| *act == Act::Upgrade);
    // Neither dead nodes nor what is under way already take a place.
    let away = plan.steps.iter().filter(|step| {
        let node = snapshot.nodes.iter().find(|node| node.id == step.node);
        let again = node.is_some_and(|n| was_under_way(n, &[TransitionKind::Removing]));
        matches!(step.act, Act::Stop | Act::Remove)
            && step.reason != Reason::DirectoryGone
            && !again
    });
    let away = away.count();
    let tidying = plan
        .steps
        .iter()
        .any(|step| step.reason == Reason::DirectoryGone);
    let takes = plan
        .steps
        .iter()
        .any(|s| matches!(s.act, Act::Stop | Act::Remove));
    prop_assert!(!(takes && starts > 0), "gives and takes: {:?}", plan.steps);
    prop_assert!(!(tidying && away + starts + upgrades > 0));

    let forgotten: BTreeSet<NodeId> = plan
        .steps
        .iter()
        .filter(|step| step.act == Act::Forget)
        .map(|step| step.node)
        .collect();
    let under_way = |kinds: &[TransitionKind]| {
        let counted = snapshot
            .nodes
            .iter()
            .filter(|node| counts(node, &forgotten));
        counted.filter(|node| was_under_way(node, kinds)).count()
    };
    use TransitionKind::{Adding, Removing, Starting, Stopping, Upgrading};
    let limits = snapshot.machine.limits;
    let before = under_way(&[Adding, Starting, Stopping, Upgrading, Removing]);
    for (begun, before, limit) in [
        (starts, under_way(&[Adding, Starting]), limits.starts),
        (away, under_way(&[Stopping, Removing]), limits.removals),
        (upgrades, under_way(&[Upgrading]), limits.upgrades),
        (starts + away + upgrades, before, limits.operations),
    ] {
        prop_assert!(begun == 0 || begun + before <= limit as usize);
    }

    let census = plan.features.census;
    let cap = snapshot.machine.node_cap as usize;
    prop_assert!(starts == 0 || census.running as usize + starts <= cap);
    prop_assert!(adds == 0 || census.total as usize + adds <= cap);
    prop_assert!(census.running <= census.total);
    let over = (census.total as usize).saturating_sub(cap);
    let for_cap = plan
        .steps
        .iter()
        .filter(|s| matches!(s.reason, Reason::OverCap { .. }));
    prop_assert!(for_cap.count() <= over);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_keeps_to_every_bound(snapshot in any_snapshot()) {
        let plan = decide(&snapshot);
        check_steps(&snapshot, &plan)?;
        check_bounds(&snapshot, &plan)?;
        if matches!(snapshot.supervisor, SupervisorState::Silent(_)) {
            prop_assert!(plan.steps.is_empty());
        }
        if snapshot.rebooted {
            prop_assert!(plan.steps.iter().all(|step| step.act == Act::Forget));
        }
        // Nothing is left without a word: a plan without steps says why.
        prop_assert!(!plan.steps.is_empty() || !plan.held_back.is_empty());
        let ranks: Vec<u8> = plan.steps.iter().map(|step| step.priority).collect();
        prop_assert!(ranks.is_sorted_by(|a, b| a >= b));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_same_snapshot_gives_the_same_plan_stored_or_in_another_order(
        (snapshot, shuffled) in any_snapshot().prop_flat_map(|snapshot| {
            let nodes = Just(snapshot.nodes.clone()).prop_shuffle();
            (Just(snapshot), nodes)
        })
    ) {
        let plan = decide(&snapshot);
        prop_assert_eq!(&decide(&snapshot), &plan);
        let stored = serde_json::to_string(&snapshot).unwrap();
        let stored: Snapshot = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(&decide(&stored), &plan);
        let written = serde_json::to_string(&plan).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Plan>(&written).unwrap(), &plan);
        let other = Snapshot { nodes: shuffled, ..snapshot };
        prop_assert_eq!(decide(&other), plan);
    }

    #[test]
    fn a_persons_word_touches_what_was_named_or_may_be_chosen(
        snapshot in any_snapshot(),
        action in prop_oneof![
            Just(ForcedAction::Add), Just(ForcedAction::Remove), Just(ForcedAction::Upgrade),
            Just(ForcedAction::Start), Just(ForcedAction::Stop), Just(ForcedAction::Disable),
        ],
        named in proptest::collection::vec(1u32..14, 0..3),
        count in few(),
    ) {
        let request = ForcedRequest {
            action,
            nodes: named.into_iter().map(id).collect(),
            count,
        };
        let Ok(plan) = decide_forced(&snapshot, &request) else { return Ok(()) };
        let mut chosen = BTreeSet::new();
        for step in &plan.steps {
            prop_assert!(chosen.insert(step.node));
            let node = snapshot.nodes.iter().find(|node| node.id == step.node);
            prop_assert_eq!(node.is_none(), action == ForcedAction::Add);
            let Some(node) = node else { continue };
            prop_assert_ne!(node.observed().state, ObservedState::Unknown);
            prop_assert!(node.is_kept());
            let named = request.nodes.contains(&node.id);
            prop_assert!(named || request.nodes.is_empty() && !node.is_disabled());
        }
        if request.nodes.is_empty() {
            prop_assert!(plan.steps.len() <= count as usize);
        }
        if action == ForcedAction::Add {
            let total = plan.features.census.total as usize + plan.steps.len();
            prop_assert!(total <= snapshot.machine.node_cap as usize);
        }
    }
}
