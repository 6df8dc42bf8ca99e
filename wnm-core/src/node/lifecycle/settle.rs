use super::change;
use super::outcome::count_failed_start;
use super::state::LifecycleRecord;
use crate::machine::Delays;
use crate::node::{DesiredState, Node, ObservedState, TransitionKind};
use crate::quantity::{Seconds, UnixTime};

/// A node that ran this long since its last start has stayed up; earlier failures are forgotten.
const STAYED_UP: Seconds = Seconds(30 * 60);

/// How a transition ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Its delay is over and nothing is wrong.
    Done(TransitionKind),
    /// Its delay is over and the node, which should run, does not.
    DidNotStayUp {
        /// What was done with it.
        kind: TransitionKind,
        /// How many times in a row now.
        failures: u32,
    },
}

/// Ends a node's transition once its delay is over, judged by what was last observed, and counts starts that did
/// not last. A transition whose act is not done is left for a step to take up, a removal until nothing is left of
/// the node.
pub fn settle(node: &mut Node, delays: &Delays, now: UnixTime) -> Option<Settled> {
    let mut settled = None;
    change(node, now, |record| {
        not_in_the_future(record, now);
        let running = record.observed.state == ObservedState::Running;
        let up_since = record.last_start.unwrap_or(record.status_since);
        if running && now.since(up_since) >= STAYED_UP {
            record.failed_starts = 0;
        }
        settled = end(record, delays, now);
    });
    settled
}

/// A clock that was set back must not hold anything until it has caught up.
fn not_in_the_future(record: &mut LifecycleRecord, now: UnixTime) {
    if let Some(transition) = &mut record.transition {
        transition.since = transition.since.min(now);
    }
    record.last_start = record.last_start.map(|at| at.min(now));
    record.status_since = record.status_since.min(now);
}

fn end(record: &mut LifecycleRecord, delays: &Delays, now: UnixTime) -> Option<Settled> {
    let transition = record.transition.filter(|transition| transition.acted)?;
    let kind = transition.kind;
    let delay = match kind {
        TransitionKind::Adding | TransitionKind::Starting => delays.start,
        TransitionKind::Upgrading => delays.upgrade,
        TransitionKind::Stopping => Seconds(0),
        TransitionKind::Removing => return None,
    };
    if now.since(transition.since) < delay {
        return None;
    }
    record.transition = None;
    let wanted = record.desired.state == DesiredState::Running;
    let stopped = record.observed.state == ObservedState::Stopped;
    if kind == TransitionKind::Stopping || !wanted || !stopped {
        return Some(Settled::Done(kind));
    }
    count_failed_start(record);
    Some(Settled::DidNotStayUp {
        kind,
        failures: record.failed_starts,
    })
}

#[cfg(test)]
mod tests {
    use super::super::observe::tests::node;
    use super::super::state::MOST_FAILED_STARTS;
    use super::*;
    use crate::node::Transition;
    use crate::testing::edit;

    const NOW: UnixTime = UnixTime(1_000_000);
    const DELAYS: Delays = Delays {
        start: Seconds(300),
        restart: Seconds(600),
        upgrade: Seconds(400),
        remove: Seconds(500),
    };

    fn under_way(
        kind: TransitionKind,
        acted: bool,
        seconds_ago: i64,
        observed: ObservedState,
    ) -> Node {
        let mut node = node(observed);
        edit(&mut node, |n| n.last_start = Some(UnixTime(NOW.0 - 100)));
        edit(&mut node, |n| {
            n.transition = Some(Transition {
                kind,
                since: UnixTime(NOW.0 - seconds_ago),
                acted,
            })
        });
        node
    }

    #[test]
    fn transitions_end_with_their_delay() {
        use ObservedState::{Running, Unknown};
        use TransitionKind::{Adding, Removing, Starting, Stopping, Upgrading};
        let ends_after = |kind, acted, state| {
            [0, 299, 300, 399, 400, 100_000].into_iter().find(|&ago| {
                let mut node = under_way(kind, acted, ago, state);
                let settled = settle(&mut node, &DELAYS, NOW);
                assert_eq!(settled.is_some(), node.transition().is_none());
                assert!(matches!(settled, None | Some(Settled::Done(_))));
                settled.is_some()
            })
        };
        for state in [Running, Unknown] {
            assert_eq!(ends_after(Adding, true, state), Some(300));
            assert_eq!(ends_after(Starting, true, state), Some(300));
            assert_eq!(ends_after(Upgrading, true, state), Some(400));
            assert_eq!(ends_after(Stopping, true, state), Some(0));
            assert_eq!(ends_after(Removing, true, state), None);
            for kind in [Adding, Starting, Stopping, Upgrading, Removing] {
                assert_eq!(ends_after(kind, false, state), None, "{kind}");
            }
        }
    }

    #[test]
    fn a_start_that_did_not_last_is_counted_up_to_a_bound() {
        let mut node = under_way(TransitionKind::Starting, true, 300, ObservedState::Stopped);
        edit(&mut node, |n| n.failed_starts = 2);
        assert_eq!(
            settle(&mut node, &DELAYS, NOW),
            Some(Settled::DidNotStayUp {
                kind: TransitionKind::Starting,
                failures: 3
            })
        );
        assert_eq!(node.status_since(), NOW);
        assert_eq!(settle(&mut node, &DELAYS, NOW), None);
        assert_eq!(node.failed_starts(), 3);

        let mut node = under_way(TransitionKind::Upgrading, true, 400, ObservedState::Stopped);
        edit(&mut node, |n| n.failed_starts = u32::MAX);
        settle(&mut node, &DELAYS, NOW);
        assert_eq!(node.failed_starts(), MOST_FAILED_STARTS);

        for unwanted in [
            DesiredState::Stopped,
            DesiredState::Disabled,
            DesiredState::Absent,
        ] {
            let mut node = under_way(TransitionKind::Starting, true, 300, ObservedState::Stopped);
            edit(&mut node, |n| n.desired.state = unwanted);
            settle(&mut node, &DELAYS, NOW);
            assert_eq!(node.failed_starts(), 0, "{unwanted}");
        }
    }

    #[test]
    fn a_long_run_forgives_failed_starts() {
        let failures_after = |ran: i64, state| {
            let mut node = node(state);
            edit(&mut node, |n| n.failed_starts = 4);
            edit(&mut node, |n| n.last_start = Some(UnixTime(NOW.0 - ran)));
            assert_eq!(settle(&mut node, &DELAYS, NOW), None);
            node.failed_starts()
        };
        assert_eq!(failures_after(1799, ObservedState::Running), 4);
        assert_eq!(failures_after(1800, ObservedState::Running), 0);
        assert_eq!(failures_after(1800, ObservedState::Stopped), 4);
        assert_eq!(failures_after(1800, ObservedState::Unknown), 4);
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nothing_for_longer_than_the_delay() {
        let mut node = under_way(
            TransitionKind::Starting,
            true,
            -86_400,
            ObservedState::Running,
        );
        edit(&mut node, |n| n.last_start = Some(UnixTime(NOW.0 + 86_400)));
        edit(&mut node, |n| n.failed_starts = 1);
        assert_eq!(settle(&mut node, &DELAYS, NOW), None);
        let later = NOW.plus(Seconds(300));
        assert!(settle(&mut node, &DELAYS, later).is_some());
        let later = NOW.plus(STAYED_UP);
        settle(&mut node, &DELAYS, later);
        assert_eq!(node.failed_starts(), 0);
    }
}
