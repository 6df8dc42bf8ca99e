//! Deciding: a pure function from what is to what should be done, with a reason for all of it.

mod backoff;
mod containers;
mod features;
mod figure;
mod forced;
#[cfg(test)]
mod json;
#[cfg(test)]
mod month;
mod plan;
mod planner;
mod port_openings;
#[cfg(test)]
mod properties;
mod reason;
mod reason_text;
mod role;
mod roster;
mod rules;
mod selection;
mod slots;

pub use backoff::{load_backoff, start_backoff};
pub use features::{Features, Gauge, Newest};
pub use figure::{Figure, Measure, Relation, Unit};
pub use forced::{ForcedAction, ForcedRequest, Refusal};
pub use plan::{Act, MachineAct, MachineStep, Plan, PlanKind, Step};
pub use reason::{Doing, Limited, NodeList, Reason};
pub use roster::Census;

use crate::snapshot::Snapshot;

/// Decides what one cycle does. The same snapshot always gives the same plan.
pub fn decide(snapshot: &Snapshot) -> Plan {
    let restart = containers::Restart::of(snapshot);
    let mut plan = rules::decide(&restart.applied_to(snapshot));
    complete(snapshot, &restart, &mut plan);
    plan
}

/// What a person asked for, as a plan: nodes chosen and the cap respected, or a reason why not. How many of
/// its steps go on at once is the executor's to bound: a person who asks for five gets five.
pub fn decide_forced(snapshot: &Snapshot, request: &ForcedRequest) -> Result<Plan, Refusal> {
    let restart = containers::Restart::of(snapshot);
    let mut plan = forced::decide(&restart.applied_to(snapshot), request)?;
    complete(snapshot, &restart, &mut plan);
    Ok(plan)
}

/// Adds to a plan what its nodes need of the machine, and the nodes that went down with their container.
fn complete(snapshot: &Snapshot, restart: &containers::Restart, plan: &mut Plan) {
    plan.machine_steps
        .extend(port_openings::after_reboot(snapshot));
    restart.add_to(plan);
    containers::ensure(snapshot, plan);
    let is_idle = matches!(plan.kind, PlanKind::Idle | PlanKind::NoNodes);
    if is_idle && !(plan.steps.is_empty() && plan.machine_steps.is_empty()) {
        plan.kind = PlanKind::Act;
    }
}
