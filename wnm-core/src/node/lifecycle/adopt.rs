use super::change;
use super::state::{LifecycleRecord, LifecycleState};
use crate::node::{Actor, DesiredState, Node, ObservedState, ProcessState};
use crate::quantity::UnixTime;

impl LifecycleState {
    /// The state of a node that was found as `process`. What it does is what is wanted of it; where nobody can
    /// say what it does, it should run.
    pub fn adopted(process: &ProcessState, now: UnixTime) -> Self {
        let (desired, observed) = match process {
            ProcessState::Running { .. } => (DesiredState::Running, ObservedState::Running),
            ProcessState::Stopped | ProcessState::Missing => {
                (DesiredState::Stopped, ObservedState::Stopped)
            }
            ProcessState::Unknown(_) => (DesiredState::Running, ObservedState::Unknown),
        };
        let mut record = LifecycleRecord::new(desired, Actor::Found, now);
        record.observed.state = observed;
        record.last_start = (observed == ObservedState::Running).then_some(now);
        Self::from_record(record)
    }
}

/// Ends the adoption of a node that was looked at once more: one that is known not to run should not run.
pub fn settle_adopted(node: &mut Node, now: UnixTime) {
    if matches!(
        node.observed().state,
        ObservedState::Stopped | ObservedState::Dead
    ) {
        change(node, now, |record| {
            record.desired.state = DesiredState::Stopped;
            record.last_start = None;
        });
    }
}
