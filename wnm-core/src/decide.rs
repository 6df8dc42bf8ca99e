//! Deciding: a pure function from what is to what should be done, with a reason for all of it.

mod backoff;
mod features;
mod figure;
mod forced;
#[cfg(test)]
mod json;
#[cfg(test)]
mod month;
mod plan;
mod planner;
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
pub use plan::{Act, Plan, PlanKind, Step};
pub use reason::{Doing, Limited, NodeList, Reason};
pub use roster::Census;

use crate::snapshot::Snapshot;

/// Decides what one cycle does. The same snapshot always gives the same plan.
pub fn decide(snapshot: &Snapshot) -> Plan {
    rules::decide(snapshot)
}

/// What a person asked for, as a plan: nodes chosen and the cap respected, or a reason why not. How many of
/// its steps go on at once is the executor's to bound: a person who asks for five gets five.
pub fn decide_forced(snapshot: &Snapshot, request: &ForcedRequest) -> Result<Plan, Refusal> {
    forced::decide(snapshot, request)
}
