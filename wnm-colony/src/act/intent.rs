//! The record of a node before a step is taken. Pure.

use wnm_core::decide::{Act, Step};
use wnm_core::id::NodeId;
use wnm_core::machine::Machine;
use wnm_core::node::lifecycle::{self, Intent};
use wnm_core::node::{Actor, LifecycleState, Node, NodeMeasurements};
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
            lifecycle: LifecycleState::adding(by, now),
            measured: NodeMeasurements::default(),
            first_launch: now,
        })
    }
}

/// The record of an existing node before `step`. A step that resumes or forgets leaves it as it is.
pub(super) fn intend(node: &Node, step: &Step, now: UnixTime) -> Node {
    let intent = match step.act {
        Act::Add | Act::Resume | Act::Forget => None,
        Act::Start { .. } => Some(Intent::Start),
        Act::Stop => Some(Intent::Stop),
        Act::Disable => Some(Intent::Disable),
        Act::Upgrade => Some(Intent::Upgrade),
        Act::Remove => Some(Intent::Remove),
    };
    let mut next = node.clone();
    if let Some(intent) = intent {
        lifecycle::intend(&mut next, intent, step.by, now);
    }
    next
}
