//! Deciding: a pure function from what is to what should be done, with a reason for all of it.

mod backoff;
mod features;
mod forced;
mod plan;
mod reason;
mod rules;
mod selection;

pub use backoff::{LONG_RUN, load_backoff, start_backoff};
pub use features::{Census, Features};
pub use forced::{ForcedAction, ForcedRequest, Refusal};
pub use plan::{Act, Plan, PlanKind, Step};
pub use reason::{Figure, Reason};

use crate::observe::Snapshot;

/// Decides what one cycle does. The same snapshot always gives the same plan.
pub fn decide(snapshot: &Snapshot) -> Plan {
    rules::decide(snapshot)
}

/// What a person asked for, as a plan: nodes chosen, limits and the cap respected, or a reason why not.
pub fn decide_forced(snapshot: &Snapshot, request: &ForcedRequest) -> Result<Plan, Refusal> {
    forced::decide(snapshot, request)
}
