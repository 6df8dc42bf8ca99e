//! Ends transitions whose act is done and whose delay has run out. Pure.

use crate::machine::Delays;
use crate::node::{DesiredState, Node, ObservedState, TransitionKind};
use crate::quantity::{Seconds, UnixTime};

/// A node that ran this long since its last start has stayed up; what went wrong before is forgotten.
const STAYED_UP: Seconds = Seconds(30 * 60);

/// Failed starts are counted up to here. The wait between attempts reached its longest long before.
const MOST_FAILED_STARTS: u32 = 100;

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

/// Ends a node's transition once its delay has run out, judged by what was last observed, and counts starts
/// that did not last. A transition whose act is not done is left for the step to be taken again, a removal
/// until nothing is left of the node.
pub fn settle_transition(node: &mut Node, delays: &Delays, now: UnixTime) -> Option<Settled> {
    let word = node.status();
    not_in_the_future(node, now);
    let running = node.observed.state == ObservedState::Running;
    let up_since = node.last_start.unwrap_or(node.status_since);
    if running && now.since(up_since) >= STAYED_UP {
        node.failed_starts = 0;
    }
    let settled = end(node, delays, now);
    if node.status() != word {
        node.status_since = now;
    }
    settled
}

/// A clock that was set back must not hold anything until it has caught up.
fn not_in_the_future(node: &mut Node, now: UnixTime) {
    if let Some(transition) = &mut node.transition {
        transition.since = transition.since.min(now);
    }
    node.last_start = node.last_start.map(|at| at.min(now));
    node.status_since = node.status_since.min(now);
}

fn end(node: &mut Node, delays: &Delays, now: UnixTime) -> Option<Settled> {
    let transition = node.transition.filter(|transition| transition.acted)?;
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
    node.transition = None;
    let wanted = node.desired.state == DesiredState::Running;
    let stopped = node.observed.state == ObservedState::Stopped;
    if kind == TransitionKind::Stopping || !wanted || !stopped {
        return Some(Settled::Done(kind));
    }
    node.failed_starts = node.failed_starts.saturating_add(1).min(MOST_FAILED_STARTS);
    Some(Settled::DidNotStayUp {
        kind,
        failures: node.failed_starts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Transition;
    use crate::node::evidence::tests::node;

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
        node.last_start = Some(UnixTime(NOW.0 - 100));
        node.transition = Some(Transition {
            kind,
            since: UnixTime(NOW.0 - seconds_ago),
            acted,
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
                let settled = settle_transition(&mut node, &DELAYS, NOW);
                assert_eq!(settled.is_some(), node.transition.is_none());
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
        node.failed_starts = 2;
        assert_eq!(
            settle_transition(&mut node, &DELAYS, NOW),
            Some(Settled::DidNotStayUp {
                kind: TransitionKind::Starting,
                failures: 3
            })
        );
        assert_eq!(node.status_since, NOW);
        assert_eq!(settle_transition(&mut node, &DELAYS, NOW), None);
        assert_eq!(node.failed_starts, 3);

        let mut node = under_way(TransitionKind::Upgrading, true, 400, ObservedState::Stopped);
        node.failed_starts = u32::MAX;
        settle_transition(&mut node, &DELAYS, NOW);
        assert_eq!(node.failed_starts, MOST_FAILED_STARTS);

        for unwanted in [
            DesiredState::Stopped,
            DesiredState::Disabled,
            DesiredState::Absent,
        ] {
            let mut node = under_way(TransitionKind::Starting, true, 300, ObservedState::Stopped);
            node.desired.state = unwanted;
            settle_transition(&mut node, &DELAYS, NOW);
            assert_eq!(node.failed_starts, 0, "{unwanted}");
        }
    }

    #[test]
    fn a_long_run_forgives_failed_starts() {
        let failures_after = |ran: i64, state| {
            let mut node = node(state);
            node.failed_starts = 4;
            node.last_start = Some(UnixTime(NOW.0 - ran));
            assert_eq!(settle_transition(&mut node, &DELAYS, NOW), None);
            node.failed_starts
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
        node.last_start = Some(UnixTime(NOW.0 + 86_400));
        node.failed_starts = 1;
        assert_eq!(settle_transition(&mut node, &DELAYS, NOW), None);
        let later = NOW.plus(Seconds(300));
        assert!(settle_transition(&mut node, &DELAYS, later).is_some());
        let later = NOW.plus(STAYED_UP);
        settle_transition(&mut node, &DELAYS, later);
        assert_eq!(node.failed_starts, 0);
    }
}
