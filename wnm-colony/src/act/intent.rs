//! What the record of a node becomes before a step is taken. Pure.

use wnm_core::decide::{Act, Reason, Step, load_stops_after_stop};
use wnm_core::id::NodeId;
use wnm_core::machine::Machine;
use wnm_core::node::{
    Actor, Desired, DesiredState, Node, NodeMeasurements, Observed, ObservedState, Transition,
    TransitionKind,
};
use wnm_core::paths::Paths;
use wnm_core::ports::PortError;
use wnm_core::program::{NodeBinary, NodeProgram};
use wnm_core::quantity::UnixTime;

/// What a node that does not exist yet is made from.
pub struct NewNode<'a> {
    /// The machine's settings.
    pub machine: &'a Machine,
    /// Where things go.
    pub paths: &'a Paths,
    /// What is run.
    pub program: &'a dyn NodeProgram,
    /// The binary it gets a copy of.
    pub binary: &'a NodeBinary,
    /// The account it runs under.
    pub owner: &'a str,
    /// A random number that draws its rewards address.
    pub ticket: u64,
}

impl NewNode<'_> {
    /// The record of node `id`, about to be added.
    pub(super) fn record(&self, id: NodeId, by: Actor, now: UnixTime) -> Result<Node, PortError> {
        let root_dir = self.paths.node_dir(id);
        Ok(Node {
            id,
            manager: self.machine.manager.clone(),
            service: id.directory_name(),
            user: self.owner.to_owned(),
            binary: root_dir.join(self.program.name()),
            version: Some(self.binary.version.clone()),
            root_dir,
            log_dir: Some(self.paths.log_dir(id)),
            ports: self.machine.ports.of(id)?,
            host: self.machine.host.clone(),
            network: self.program.network().to_owned(),
            wallet: Some(
                self.machine
                    .rewards
                    .draw(self.ticket, self.machine.donate_address),
            ),
            peer_id: None,
            container: None,
            environment: None,
            desired: Desired {
                state: DesiredState::Running,
                by,
                since: now,
            },
            observed: Observed {
                state: ObservedState::Stopped,
                at: now,
            },
            transition: Some(begun(TransitionKind::Adding, now)),
            measured: NodeMeasurements::default(),
            first_launch: now,
            status_since: now,
            last_start: None,
            failed_starts: 0,
            load_stops: 0,
        })
    }
}

/// The record of an existing node before `step`. A resumed or forgotten node is left as it is.
pub(super) fn intend(node: &Node, step: &Step, now: UnixTime) -> Node {
    let mut next = node.clone();
    let desire = |state| Desired {
        state,
        by: step.by,
        since: now,
    };
    match step.act {
        Act::Add | Act::Resume | Act::Forget => return next,
        Act::Start { .. } => {
            next.desired = keep_if_wanted(node.desired, desire(DesiredState::Running));
            next.transition = Some(begun(TransitionKind::Starting, now));
            if step.by == Actor::Person {
                next.failed_starts = 0;
                next.load_stops = 0;
            }
        }
        Act::Stop => {
            if step.by == Actor::Wnm && node.desired.state == DesiredState::Running {
                next.load_stops = load_stops_after_stop(node, now);
            }
            next.desired = keep_if_wanted(node.desired, desire(DesiredState::Stopped));
            next.transition = Some(begun(TransitionKind::Stopping, now));
        }
        Act::Disable => {
            next.desired = desire(DesiredState::Disabled);
            next.transition = Some(begun(TransitionKind::Stopping, now));
        }
        Act::Upgrade => next.transition = Some(begun(TransitionKind::Upgrading, now)),
        Act::Remove => {
            next.desired = desire(DesiredState::Absent);
            next.transition = Some(begun(TransitionKind::Removing, now));
        }
    }
    if next.status() != node.status() {
        next.status_since = now;
    }
    next
}

/// The record of a node that a person wants gone, before anything is done.
pub(crate) fn asked_removal(node: &Node, now: UnixTime) -> Node {
    let step = Step {
        node: node.id,
        act: Act::Remove,
        reason: Reason::Asked,
        priority: 0,
        by: Actor::Person,
    };
    intend(node, &step, now)
}

/// What wnm wants anew of a node that it is wanted of already keeps its date and its author; a person's word
/// takes over.
fn keep_if_wanted(now: Desired, wanted: Desired) -> Desired {
    if now.state == wanted.state && wanted.by != Actor::Person {
        now
    } else {
        wanted
    }
}

fn begun(kind: TransitionKind, since: UnixTime) -> Transition {
    Transition {
        kind,
        since,
        acted: false,
    }
}
