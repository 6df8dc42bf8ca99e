//! Ends transitions whose act is done and whose delay has run out. Pure.

use crate::machine::Delays;
use crate::node::{DesiredState, Node, ObservedState, TransitionKind};
use crate::quantity::{Seconds, UnixTime};

/// A node that ran this long since its last start has stayed up; what went wrong before is forgotten.
const STAYED_UP: Seconds = Seconds(30 * 60);

/// Failed starts are counted up to here. The wait between attempts reached its longest long before.
const MOST_FAILED_STARTS: u32 = 100;

/// How a transition ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Its delay is over and nothing is wrong.
    Done(TransitionKind),
    /// Its delay is over and the node, which should run, does not.
    DidNotStayUp {
        /// What was done with it.
        kind: TransitionKind,
        /// How many times in a row now.
        failures: u32,
    },
}

/// Ends a node's transition once its delay has run out, judged by what was last observed, and counts starts
/// that did not last. A transition whose act is not done is left for the step to be taken again, a removal
/// until nothing is left of the node.
pub fn settle_transition(node: &mut Node, delays: &Delays, now: UnixTime) -> Option<Settled> {
    let word = node.status();
    not_in_the_future(node, now);
    let running = node.observed.state == ObservedState::Running;
    let up_since = node.last_start.unwrap_or(node.status_since);
    if running && now.since(up_since) >= STAYED_UP {
        node.failed_starts = 0;
    }
    let settled = end(node, delays, now);
    if node.status() != word {
        node.status_since = now;
    }
    settled
}

/// A clock that was set back must not hold anything until it has caught up.
fn not_in_the_future(node: &mut Node, now: UnixTime) {
    if let Some(transition) = &mut node.transition {
        transition.since = transition.since.min(now);
    }
    node.last_start = node.last_start.map(|at| at.min(now));
    node.status_since = node.status_since.min(now);
}

fn end(node: &mut Node, delays: &Delays, now: UnixTime) -> Option<Settled> {
    let transition = node.transition.filter(|transition| transition.acted)?;
    let kind = transition.kind;
    let delay = match kind {
        TransitionKind::Adding | TransitionKind::Starting => delays.start,
        TransitionKind::Upgrading => delays.upgrade,
        TransitionKind::Stopping => Seconds(0),
        TransitionKind::Removing => return None,
    };
    if now.since(transition.since) < delay {
        return None;
    }
    node.transition = None;
    let wanted = node.desired.state == DesiredState::Running;
    let stopped = node.observed.state == ObservedState::Stopped;
    if kind == TransitionKind::Stopping || !wanted || !stopped {
        return Some(Settled::Done(kind));
    }
    node.failed_starts = node.failed_starts.saturating_add(1).min(MOST_FAILED_STARTS);
    Some(Settled::DidNotStayUp {
        kind,
        failures: node.failed_starts,
    })
}
