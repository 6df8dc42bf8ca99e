//! The lifecycle of a node: the only code that changes its [`LifecycleState`].
//!
//! Every function takes the time and changes nothing but the node. One function per event:
//!
//! | event                             | function            | desired            | observed            | transition               |
//! |-----------------------------------|---------------------|--------------------|---------------------|--------------------------|
//! | wnm is about to add the node      | [`LifecycleState::adding`] | running     | stopped             | adding                   |
//! | wnm is about to act               | [`intend`]          | what the act wants | kept                | of the act, not done     |
//! | the supervisor confirmed the act  | [`complete`]        | kept               | what the act caused | done, its delay runs     |
//! | the act failed                    | [`fail`]            | kept               | kept                | none; a removal and an addition stay |
//! | the observer looked               | [`observe`]         | kept               | what it saw         | kept                     |
//! | time passed                       | [`settle`]          | kept               | kept                | none after its delay     |
//! | its container was started again   | [`returned`]        | kept               | running             | kept                     |
//! | a node was found                  | [`LifecycleState::adopted`] | what it does | what was found    | none                     |
//!
//! An act whose outcome is unknown changes nothing: the next observation tells. A node that is to be removed stays
//! so until its row is deleted.
//!
//! These hold after every event:
//!
//! - No time lies after the time of the event, unless a clock was set back since.
//! - Failed starts never exceed [`MOST_FAILED_STARTS`].
//! - An unknown observation never makes a node stopped or dead.
//! - A transition that is not done names the act that a later run takes again.
//! - The time of the status changes exactly when the status does.

mod adopt;
mod intent;
mod observe;
mod outcome;
mod settle;
mod state;
#[cfg(test)]
mod tests;

pub use adopt::settle_adopted;
pub use intent::{Intent, LONG_RUN, intend, load_stops_after_stop, request_removal};
pub use observe::observe;
pub use outcome::{Completed, complete, fail, returned};
pub use settle::{Settled, settle};
pub use state::{LifecycleRecord, LifecycleState, MOST_FAILED_STARTS};

use super::Node;
use crate::quantity::UnixTime;

/// Changes the state of `node` and dates its status if that changed.
fn change(node: &mut Node, now: UnixTime, edit: impl FnOnce(&mut LifecycleRecord)) {
    let status = node.status();
    let mut record = node.lifecycle.record();
    edit(&mut record);
    node.lifecycle = LifecycleState::from_record(record);
    if node.status() != status {
        record.status_since = now;
        node.lifecycle = LifecycleState::from_record(record);
    }
}
