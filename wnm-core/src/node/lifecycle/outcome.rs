use super::change;
use super::state::{LifecycleRecord, MOST_FAILED_STARTS};
use crate::node::{Node, Observed, ObservedState, Transition, TransitionKind};
use crate::quantity::UnixTime;

/// What a supervisor confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Completed {
    /// The node was started, after it was added or for itself.
    Started,
    /// The node was started again after its container. It ran before, so no delay runs.
    Restarted,
    /// It has a new binary.
    Upgraded,
    /// It does not run.
    Stopped,
    /// All of it is gone; only its row is left, until the removal's delay is over.
    Removed,
}

/// Records an act that was done. Its delay runs from now on.
///
/// Of a node that is to be removed nothing but the removal ends the transition.
pub fn complete(node: &mut Node, completed: Completed, now: UnixTime) {
    let kept = node.is_kept();
    change(node, now, |record| {
        let transition = match completed {
            Completed::Started => {
                saw(record, ObservedState::Running, now);
                record.last_start = Some(now);
                Some(Transition::acted(TransitionKind::Starting, now))
            }
            Completed::Restarted => {
                saw(record, ObservedState::Running, now);
                record.last_start = Some(now);
                None
            }
            Completed::Upgraded => {
                record.last_start = Some(now);
                Some(Transition::acted(TransitionKind::Upgrading, now))
            }
            Completed::Stopped => {
                saw(record, ObservedState::Stopped, now);
                None
            }
            Completed::Removed => {
                saw(record, ObservedState::Stopped, now);
                Some(Transition::acted(TransitionKind::Removing, now))
            }
        };
        if kept || completed == Completed::Removed {
            record.transition = transition;
        }
    });
    if matches!(completed, Completed::Stopped | Completed::Removed) {
        node.measured = node.measured.of_a_stopped_node();
    }
}

/// Records an act that was refused. It is over, except a removal, which is wanted until it is done, and an
/// addition, of which something may be there.
pub fn fail(node: &mut Node, now: UnixTime) {
    change(node, now, |record| {
        match record.transition.map(|step| step.kind) {
            Some(TransitionKind::Starting | TransitionKind::Upgrading) => {
                record.transition = None;
                record.last_start = Some(now);
                count_failed_start(record);
            }
            Some(TransitionKind::Stopping) => record.transition = None,
            Some(TransitionKind::Adding | TransitionKind::Removing) | None => {}
        }
    });
}

/// Records that a node's container came up anew, and whether the node was started again in it. One that was not is
/// retried like any node that does not stay up.
pub fn returned(node: &mut Node, started: bool, now: UnixTime) {
    change(node, now, |record| {
        record.last_start = Some(now);
        if started {
            saw(record, ObservedState::Running, now);
        } else {
            count_failed_start(record);
        }
    });
}

/// Counts one more start that did not last.
pub(super) fn count_failed_start(record: &mut LifecycleRecord) {
    record.failed_starts = record
        .failed_starts
        .saturating_add(1)
        .min(MOST_FAILED_STARTS);
}

fn saw(record: &mut LifecycleRecord, state: ObservedState, at: UnixTime) {
    record.observed = Observed { state, at };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, edit, node};

    fn most_failures(event: fn(&mut Node)) -> u32 {
        let mut node = node(1);
        for _ in 0..2 * MOST_FAILED_STARTS {
            edit(&mut node, |n| {
                n.transition = Some(Transition::begun(TransitionKind::Starting, NOW));
            });
            event(&mut node);
        }
        node.failed_starts()
    }

    #[test]
    fn failed_starts_are_bounded_wherever_they_are_counted() {
        assert_eq!(most_failures(|node| fail(node, NOW)), MOST_FAILED_STARTS);
        assert_eq!(
            most_failures(|node| returned(node, false, NOW)),
            MOST_FAILED_STARTS
        );
    }

    #[test]
    fn a_stopped_node_keeps_what_it_earned_and_loses_what_it_did() {
        for completed in [Completed::Stopped, Completed::Removed] {
            let mut node = node(1);
            (node.measured.uptime, node.measured.puts) = (60, 7);
            complete(&mut node, completed, NOW);
            assert_eq!((node.measured.uptime, node.measured.puts), (0, 7));
        }
    }

    #[test]
    fn a_node_that_returned_with_its_container_runs_since_then() {
        let mut node = crate::testing::seen(1, ObservedState::Stopped);
        let later = UnixTime(NOW.0 + 60);
        returned(&mut node, true, later);
        assert_eq!(node.observed().state, ObservedState::Running);
        assert_eq!(node.last_start(), Some(later));
        assert_eq!(node.status_since(), later);
    }
}
