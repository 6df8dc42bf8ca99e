use super::change;
use super::state::LifecycleRecord;
use crate::node::{Actor, Desired, DesiredState, Node, Transition, TransitionKind};
use crate::quantity::{Seconds, UnixTime};

/// A run of this length makes up for one stop for load: a load that comes once a day is a rhythm to follow, not
/// noise to damp.
pub const LONG_RUN: Seconds = Seconds(12 * 3600);

/// What is about to be done with an existing node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Intent {
    /// Start it; it should run from now on.
    Start,
    /// Stop it; it should not run from now on.
    Stop,
    /// Stop it; wnm leaves it alone from now on.
    Disable,
    /// Replace its binary. What is wanted of it stays.
    Upgrade,
    /// Remove it with its data.
    Remove,
}

/// Records what `by` is about to do with a node, before it is done. A run that ends before the outcome is recorded
/// leaves a transition that a later run takes up.
///
/// A node that is to be removed is only ever removed: every other intent leaves it as it is.
pub fn intend(node: &mut Node, intent: Intent, by: Actor, now: UnixTime) {
    if !node.is_kept() && intent != Intent::Remove {
        return;
    }
    let load_stops = load_stops_after_stop(node, now);
    change(node, now, |record| match intent {
        Intent::Start => {
            begin(record, TransitionKind::Starting, now);
            want(record, DesiredState::Running, by, now);
            if by == Actor::Operator {
                record.failed_starts = 0;
                record.load_stops = 0;
            }
        }
        Intent::Stop => {
            if by == Actor::Wnm && record.desired.state == DesiredState::Running {
                record.load_stops = load_stops;
            }
            begin(record, TransitionKind::Stopping, now);
            want(record, DesiredState::Stopped, by, now);
        }
        Intent::Disable => {
            begin(record, TransitionKind::Stopping, now);
            record.desired = Desired {
                state: DesiredState::Disabled,
                by,
                since: now,
            };
        }
        Intent::Upgrade => begin(record, TransitionKind::Upgrading, now),
        Intent::Remove => {
            begin(record, TransitionKind::Removing, now);
            record.desired = Desired {
                state: DesiredState::Absent,
                by,
                since: now,
            };
        }
    });
}

/// Records that the operator wants a node removed, before anything is done.
pub fn request_removal(node: &mut Node, now: UnixTime) {
    intend(node, Intent::Remove, Actor::Operator, now);
}

/// How many stops for load in a row there are once `node`, as it was before, is stopped for load at `now`. Each
/// long run since its start makes up for one of them.
pub fn load_stops_after_stop(node: &Node, now: UnixTime) -> u32 {
    let desired = node.desired();
    let ran = match desired.state {
        DesiredState::Running => now.since(desired.since).0,
        _ => 0,
    };
    let made_up_for = u32::try_from(ran / LONG_RUN.0).unwrap_or(u32::MAX);
    node.load_stops()
        .saturating_sub(made_up_for)
        .saturating_add(1)
}

fn begin(record: &mut LifecycleRecord, kind: TransitionKind, now: UnixTime) {
    record.transition = Some(Transition::begun(kind, now));
}

/// Wants `state`. A state that wnm wants again keeps its author and its date; the operator's word replaces them.
fn want(record: &mut LifecycleRecord, state: DesiredState, by: Actor, now: UnixTime) {
    if record.desired.state != state || by == Actor::Operator {
        record.desired = Desired {
            state,
            by,
            since: now,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{edit, node};

    #[test]
    fn a_long_run_begins_anew_and_a_short_one_counts_on() {
        let now = UnixTime(10_000_000);
        let ran = |seconds: i64, load_stops| {
            let mut node = node(1);
            edit(&mut node, |n| {
                n.desired.since = UnixTime(now.0 - seconds);
                n.load_stops = load_stops;
            });
            load_stops_after_stop(&node, now)
        };
        assert_eq!(ran(12 * 3600 - 1, 4), 5);
        assert_eq!(ran(12 * 3600, 4), 4);
        assert_eq!(ran(24 * 3600, 4), 3);
        assert_eq!(ran(30 * 24 * 3600, 4), 1);
        assert_eq!(ran(0, 0), 1);
        assert_eq!(ran(0, u32::MAX), u32::MAX);
    }

    #[test]
    fn a_start_on_the_operators_word_forgets_earlier_failures() {
        for (by, left) in [(Actor::Wnm, 4), (Actor::Found, 4), (Actor::Operator, 0)] {
            let mut node = node(1);
            edit(&mut node, |n| {
                n.failed_starts = 4;
                n.load_stops = 4;
            });
            intend(&mut node, Intent::Start, by, UnixTime(10_000_000));
            assert_eq!((node.failed_starts(), node.load_stops()), (left, left));
        }
    }

    #[test]
    fn a_state_wanted_again_keeps_its_author_unless_the_operator_says_so() {
        let now = UnixTime(1_790_000_000);
        let desired_after = |by| {
            let mut node = node(1);
            intend(&mut node, Intent::Start, by, now);
            node.desired()
        };
        assert_eq!(desired_after(Actor::Wnm), node(1).desired());
        let asked = desired_after(Actor::Operator);
        assert_eq!((asked.by, asked.since), (Actor::Operator, now));
    }

    #[test]
    fn only_a_stop_for_load_counts_as_one() {
        let now = UnixTime(1_790_000_000);
        let stops_after = |intent, by| {
            let mut node = node(1);
            edit(&mut node, |n| n.desired.since = now);
            intend(&mut node, intent, by, now);
            node.load_stops()
        };
        assert_eq!(stops_after(Intent::Stop, Actor::Wnm), 1);
        assert_eq!(stops_after(Intent::Stop, Actor::Operator), 0);
        assert_eq!(stops_after(Intent::Disable, Actor::Operator), 0);
        assert_eq!(stops_after(Intent::Upgrade, Actor::Wnm), 0);
    }
}
