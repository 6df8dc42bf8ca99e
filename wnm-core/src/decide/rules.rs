//! The policy of a cycle, a rule a function, in order.

mod grow;
mod shed;
mod upkeep;

use super::planner::Planner;
use super::{Doing, Limited, Plan, Reason};
use crate::snapshot::{Snapshot, SupervisorState};

/// Ranks of the rules, those of the Python wnm where it has the rule; 100 is a reboot, which plans nothing.
pub(super) mod rank {
    pub const FORGET: u8 = 97;
    pub const RESUME: u8 = 95;
    pub const CONTAINER_RESTARTED: u8 = 94;
    pub const DRIFT: u8 = 92;
    pub const DEAD: u8 = 90;
    pub const REMOVE_STOPPED: u8 = 80;
    pub const REMOVE_RUNNING: u8 = 75;
    pub const STOP: u8 = 70;
    pub const HEAL: u8 = 65;
    pub const UPGRADE: u8 = 60;
    pub const START: u8 = 50;
    pub const ADD: u8 = 40;
}

/// Decides one cycle.
pub(super) fn decide(snapshot: &Snapshot) -> Plan {
    let mut planner = Planner::new(snapshot);
    if let SupervisorState::Silent(said) = &snapshot.supervisor {
        let said = said.clone();
        planner.hold(Doing::Acting, Reason::SupervisorSilent { said });
        return planner.finish();
    }
    planner.forget();
    if snapshot.rebooted {
        planner.hold(Doing::Acting, Reason::Rebooted);
        return planner.finish();
    }
    planner.leave_unseen();
    planner.resume();
    if planner.remove_dead() {
        return planner.finish();
    }
    planner.settle_drift();
    if let Some(full) = planner.slots.full(Limited::Operations) {
        planner.hold(Doing::Acting, full);
        return planner.finish();
    }
    if planner.is_pressed() {
        planner.shed();
    } else {
        planner.grow();
    }
    planner.finish()
}

#[cfg(test)]
mod tests;
