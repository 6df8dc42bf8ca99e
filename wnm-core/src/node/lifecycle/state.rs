use serde::{Deserialize, Serialize};

use crate::node::{
    Actor, Desired, DesiredState, Observed, ObservedState, Status, Transition, TransitionKind,
};
use crate::quantity::UnixTime;

/// Failed starts are counted up to here. The wait between attempts reached its longest long before.
pub const MOST_FAILED_STARTS: u32 = 100;

/// How a node stands. Readable by everyone, changed only by the functions of [this module](super).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "LifecycleRecord", into = "LifecycleRecord")]
pub struct LifecycleState(LifecycleRecord);

/// The fields of a [`LifecycleState`], as a store keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleRecord {
    /// What is wanted of the node.
    pub desired: Desired,
    /// What was last seen of it.
    pub observed: Observed,
    /// What is under way with it.
    pub transition: Option<Transition>,
    /// When its status last changed.
    pub status_since: UnixTime,
    /// When it was last started, by anyone.
    pub last_start: Option<UnixTime>,
    /// Starts in a row after which it did not stay up; spaces out the next attempt.
    pub failed_starts: u32,
    /// Stops in a row for load without a long run in between; spaces out the next start.
    pub load_stops: u32,
}

impl LifecycleState {
    /// The state that a store holds. A count beyond its bound is cut to it.
    pub fn from_record(mut record: LifecycleRecord) -> Self {
        record.failed_starts = record.failed_starts.min(MOST_FAILED_STARTS);
        Self(record)
    }

    /// The fields, to be stored.
    pub fn record(&self) -> LifecycleRecord {
        self.0
    }

    /// The state of a node that is about to be added on the word of `by`.
    pub fn adding(by: Actor, now: UnixTime) -> Self {
        let mut record = LifecycleRecord::new(DesiredState::Running, by, now);
        record.transition = Some(Transition::begun(TransitionKind::Adding, now));
        Self(record)
    }

    /// The status that people and the Python wnm read.
    pub fn status(&self) -> Status {
        Status::of(self)
    }

    /// What is wanted of the node.
    pub fn desired(&self) -> Desired {
        self.0.desired
    }

    /// What was last seen of it.
    pub fn observed(&self) -> Observed {
        self.0.observed
    }

    /// What is under way with it.
    pub fn transition(&self) -> Option<Transition> {
        self.0.transition
    }
}

impl LifecycleRecord {
    /// A node wanted in `state` by `by` that does not run, with nothing under way.
    pub(super) fn new(state: DesiredState, by: Actor, now: UnixTime) -> Self {
        Self {
            desired: Desired {
                state,
                by,
                since: now,
            },
            observed: Observed {
                state: ObservedState::Stopped,
                at: now,
            },
            transition: None,
            status_since: now,
            last_start: None,
            failed_starts: 0,
            load_stops: 0,
        }
    }

    /// What a status that the Python wnm wrote at `since` comes to.
    ///
    /// It writes the words for something under way after the act, so that only the delay is left. Removing is
    /// the exception: the node was only stopped, and all of it is still to be removed.
    pub fn from_status(status: Status, since: UnixTime) -> Self {
        use TransitionKind::{Removing, Starting, Stopping, Upgrading};
        let acted = |kind| Some((kind, true));
        let (desired, observed, transition) = match status {
            Status::Running => (DesiredState::Running, ObservedState::Running, None),
            Status::Stopped => (DesiredState::Stopped, ObservedState::Stopped, None),
            Status::Stopping => (
                DesiredState::Stopped,
                ObservedState::Running,
                Some((Stopping, false)),
            ),
            Status::Upgrading => (
                DesiredState::Running,
                ObservedState::Unknown,
                acted(Upgrading),
            ),
            // A migrating node comes up elsewhere.
            Status::Restarting | Status::Migrating => (
                DesiredState::Running,
                ObservedState::Unknown,
                acted(Starting),
            ),
            Status::Removing => (
                DesiredState::Absent,
                ObservedState::Unknown,
                Some((Removing, false)),
            ),
            Status::Disabled => (DesiredState::Disabled, ObservedState::Unknown, None),
            // Should its directory come back, wnm does not start it on a guess.
            Status::Dead => (DesiredState::Stopped, ObservedState::Dead, None),
            Status::Unknown => (DesiredState::Running, ObservedState::Unknown, None),
        };
        let mut record = Self::new(desired, Actor::Found, since);
        record.observed.state = observed;
        record.transition = transition.map(|(kind, acted)| Transition { kind, since, acted });
        record
    }

    /// Whether a change of `kind` is under way.
    pub(super) fn is_under_way(&self, kind: TransitionKind) -> bool {
        self.transition.is_some_and(|step| step.kind == kind)
    }
}

impl From<LifecycleRecord> for LifecycleState {
    fn from(record: LifecycleRecord) -> Self {
        Self::from_record(record)
    }
}

impl From<LifecycleState> for LifecycleRecord {
    fn from(state: LifecycleState) -> Self {
        state.0
    }
}
