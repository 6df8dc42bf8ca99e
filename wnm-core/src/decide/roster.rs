use serde::{Deserialize, Serialize};

use super::role::Role;
use crate::node::{Actor, Node, ObservedState, TransitionKind};
use crate::quantity::{Seconds, UnixTime};
use crate::snapshot::Snapshot;

/// A step that was begun, never ended, and whose node nobody has been able to see for this long no longer
/// holds a place among the operations under way. Without that, one lost container would keep a machine that
/// does one thing at a time from ever doing another, even from making room on a full disk.
const STALE_STEP: Seconds = Seconds(3600);

/// How many nodes there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// All that belong to the colony; those being removed no longer do.
    pub total: u32,
    /// Of these, those that run, are about to, or may: what nobody could see counts as running.
    pub running: u32,
    /// Seen stopped.
    pub stopped: u32,
    /// Without a directory.
    pub dead: u32,
    /// Nobody could say.
    pub unknown: u32,
    /// Out of wnm's hands, whatever was seen of them.
    pub disabled: u32,
    /// Adds and starts under way, their delays included.
    pub starting: u32,
    /// Stops under way.
    pub stopping: u32,
    /// Upgrades under way, their delays included.
    pub upgrading: u32,
    /// Removals under way, their delays included.
    pub removing: u32,
}

impl Census {
    /// All changes under way.
    pub fn operations(&self) -> u32 {
        [self.stopping, self.upgrading, self.removing]
            .iter()
            .fold(self.starting, |sum, n| sum.saturating_add(*n))
    }

    fn count(&mut self, node: &Node, role: Role, now: UnixTime) {
        let step = node.under_way();
        if holds_a_place(node, now) {
            match step {
                Some(TransitionKind::Adding | TransitionKind::Starting) => self.starting += 1,
                Some(TransitionKind::Stopping) => self.stopping += 1,
                Some(TransitionKind::Upgrading) => self.upgrading += 1,
                Some(TransitionKind::Removing) => self.removing += 1,
                None => {}
            }
        }
        if !node.is_kept() || step == Some(TransitionKind::Removing) {
            return;
        }
        self.total += 1;
        self.disabled += u32::from(node.is_disabled());
        match node.observed().state {
            ObservedState::Running => {}
            ObservedState::Stopped => self.stopped += 1,
            ObservedState::Dead => self.dead += 1,
            ObservedState::Unknown => self.unknown += 1,
        }
        let seen_up = matches!(
            node.observed().state,
            ObservedState::Running | ObservedState::Unknown
        );
        let coming_up = matches!(
            step,
            Some(TransitionKind::Adding | TransitionKind::Starting | TransitionKind::Upgrading)
        );
        self.running += u32::from(role != Role::Dead && (seen_up || coming_up));
    }
}

fn holds_a_place(node: &Node, now: UnixTime) -> bool {
    node.transition().is_some_and(|step| match step.acted {
        true => step.kind != TransitionKind::Stopping,
        false => {
            node.observed().state != ObservedState::Unknown || now.since(step.since) < STALE_STEP
        }
    })
}

/// The nodes of a snapshot by their role.
#[derive(Debug, Default)]
pub(super) struct Roster<'a> {
    /// How many there are of each kind; those whose removal is over are not counted at all.
    pub census: Census,
    pub gone: Vec<&'a Node>,
    pub lingering: Vec<&'a Node>,
    pub unseen: Vec<&'a Node>,
    pub interrupted: Vec<&'a Node>,
    pub dead: Vec<&'a Node>,
    pub up: Vec<&'a Node>,
    pub crashed: Vec<&'a Node>,
    pub drifted: Vec<&'a Node>,
    /// Stopped, not on a person's word.
    pub resting: Vec<&'a Node>,
    /// Stopped on a person's word.
    pub parked: Vec<&'a Node>,
}

impl<'a> Roster<'a> {
    pub(super) fn of(snapshot: &'a Snapshot) -> Self {
        let mut roster = Self::default();
        let (delays, now) = (&snapshot.machine.delays, snapshot.taken_at);
        for node in &snapshot.nodes {
            let role = Role::of(node, delays, now);
            if role != Role::Gone {
                roster.census.count(node, role, now);
            }
            match role {
                Role::Gone => roster.gone.push(node),
                Role::Lingering => roster.lingering.push(node),
                Role::Unseen => roster.unseen.push(node),
                Role::Interrupted => roster.interrupted.push(node),
                Role::Dead => roster.dead.push(node),
                Role::Up => roster.up.push(node),
                Role::Crashed => roster.crashed.push(node),
                Role::Drifted => roster.drifted.push(node),
                Role::Resting(Actor::Operator) => roster.parked.push(node),
                Role::Resting(Actor::Wnm | Actor::Found) => roster.resting.push(node),
                Role::Leaving | Role::Disabled | Role::Settling => {}
            }
        }
        roster
    }
}
