//! How a node stands, from the single word that the Python wnm keeps.

use wnm_core::node::{
    Actor, Desired, DesiredState, Node, Observed, ObservedState, Status, Transition, TransitionKind,
};
use wnm_core::quantity::UnixTime;

/// The three facts that a status word is a projection of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub desired: Desired,
    pub observed: Observed,
    pub transition: Option<Transition>,
}

impl Standing {
    /// What a word that someone else wrote at `since` comes to.
    ///
    /// The words for something under way are written after the act, so that only its delay is left. Removing
    /// is the exception: there the node has only been stopped, and everything of it is still to go.
    pub fn found(word: Status, since: UnixTime) -> Self {
        use TransitionKind::{Removing, Starting, Stopping, Upgrading};
        let acted = |kind| Some((kind, true));
        let (desired, observed, transition) = match word {
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
            // A node on the move is one that comes up elsewhere.
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
            // Should its directory come back, it is not started on a guess.
            Status::Dead => (DesiredState::Stopped, ObservedState::Dead, None),
            Status::Unknown => (DesiredState::Running, ObservedState::Unknown, None),
        };
        Self {
            desired: Desired {
                state: desired,
                by: Actor::Found,
                since,
            },
            observed: Observed {
                state: observed,
                at: since,
            },
            transition: transition.map(|(kind, acted)| Transition { kind, since, acted }),
        }
    }

    /// Puts it in the place of what the node has.
    pub fn give_to(self, node: &mut Node) {
        node.desired = self.desired;
        node.observed = self.observed;
        node.transition = self.transition;
    }
}
