//! Acting: makes a plan so, records what is wanted before each step and what came of it after.
//!
//! Every step is the same three moves. `intent` says what the record of the node becomes before anything is
//! done; the manager does it; `outcome` says what the record becomes after. A run that ends in between
//! leaves a record with a transition that is not acted, and the next cycle takes the step again.
//!
//! Steps that are done alike and follow each other in a lane go through the three moves together, as many as the
//! manager takes in one call.

mod executor;
mod intent;
mod lanes;
mod outcome;
mod perform;

pub use executor::{Execution, Executor, Progress, ProgressEvent};
pub use intent::NewNode;

/// The fault points of this crate, in the order of the acts.
pub const FAULT_POINTS: &[&str] = &[
    "act.before-intent",
    "act.after-intent",
    "act.add.added",
    "act.add.started",
    "act.start.upgraded",
    "act.start.started",
    "act.stop.stopped",
    "act.upgrade.upgraded",
    "act.remove.removed",
    "act.before-outcome",
    "act.after-outcome",
];
