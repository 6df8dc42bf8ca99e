//! Nodes as s6 services in Docker containers: `s6overlay+user`.
//!
//! A colony has containers `a1`, `a2`, …, each with a block of node numbers and so of ports. In a container runs
//! s6, and each node is a service of it. The data of the nodes is on the machine, in directories that are mounted
//! into every container: a container is nothing but a place to run in, and made anew when it is gone.
//!
//! s6 is spoken to through the engine, one exec for all nodes of a container: an exec costs as much as two
//! hundred services. What is run in there are the fixed scripts in `scripts`; what they work on are arguments.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod adding;
mod answer;
mod asking;
mod claim;
mod containers;
pub mod dockerfile;
mod engine;
mod fault_points;
#[cfg(any(test, feature = "fuzz"))]
pub mod hostile;
mod housing;
mod inside;
mod looking;
mod making;
mod owner;
mod removal;
mod run_script;
mod running;
mod scripts;
mod teardown;
mod upgrading;

pub use fault_points::FAULT_POINTS;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use wnm_core::container::Block;
use wnm_core::id::ContainerId;
use wnm_core::id::NodeId;
use wnm_core::kind::ManagerKind;
use wnm_core::manager::{
    AddedNode, FoundNode, Housing, LanePolicy, ManagerContext, ManagerError, ManagerPolicy,
    ProcessManager,
};
use wnm_core::node::Node;
use wnm_core::node::Probe;
use wnm_core::node::ProcessState;
use wnm_core::numbering::IdPolicy;
use wnm_core::program::NodeBinary;
use wnm_host::files::{Direct, Files};

use crate::containers::Colony;
use crate::engine::Engine;
use crate::inside::Inside;
use crate::owner::Owner;

/// Nodes in one call: so many that calls cost little beside the nodes, and so few that a progress bar moves.
const BATCH: usize = 50;

/// The manager of nodes in containers.
pub struct S6Overlay {
    kind: ManagerKind,
    context: ManagerContext,
    /// Nodes in a container.
    size: NonZeroU32,
    engine: Engine,
    colony: Colony,
    inside: Inside,
    owner: Owner,
    files: Arc<dyn Files>,
}

impl S6Overlay {
    /// A manager that drives the engine that `DOCKER_HOST` names, or the machine's own. Touches nothing yet.
    pub fn new(kind: ManagerKind, context: ManagerContext) -> Result<Self, ManagerError> {
        let size = NonZeroU32::new(context.machine.containers.max_nodes);
        let size = size.ok_or_else(|| ManagerError::Rejected {
            what: "max_node_per_container".to_owned(),
            words: "must be at least 1".to_owned(),
        })?;
        let owner = Owner::of(&context.paths.node_storage);
        let files = match owner.is_caller() {
            true => Direct::for_caller(),
            false => Direct::for_numbers(owner.uid, owner.gid),
        };
        Ok(Self {
            kind,
            size,
            engine: Engine::of_environment(),
            colony: Colony::at(&context.paths.node_storage),
            inside: Inside::of(&context.paths),
            owner,
            files: Arc::new(files),
            context,
        })
    }

    /// The container that a node is in, or belongs into.
    fn container_of(&self, node: &Node) -> ContainerId {
        node.container
            .unwrap_or_else(|| Block::container_of(node.id, self.size))
    }

    /// Nodes with their places in `nodes`, by container.
    fn by_container<'a>(&self, nodes: &'a [Node]) -> Vec<(ContainerId, Vec<(usize, &'a Node)>)> {
        let mut groups: std::collections::BTreeMap<ContainerId, Vec<(usize, &Node)>> =
            std::collections::BTreeMap::new();
        for (place, node) in nodes.iter().enumerate() {
            let group = groups.entry(self.container_of(node)).or_default();
            group.push((place, node));
        }
        groups.into_iter().collect()
    }
}

/// The outcome for the only node of a call.
fn only<T>(outcomes: Vec<Result<T, ManagerError>>, node: &Node) -> Result<T, ManagerError> {
    let first = outcomes.into_iter().next();
    first.unwrap_or_else(|| Err(ManagerError::NotFound(node.service.clone())))
}

#[async_trait]
impl ProcessManager for S6Overlay {
    fn kind(&self) -> ManagerKind {
        self.kind
    }

    fn policy(&self) -> ManagerPolicy {
        ManagerPolicy {
            ids: IdPolicy::Blocks {
                size: self.size.get(),
                open: self.context.machine.containers.min_count,
            },
            lanes: LanePolicy::PerContainer,
            restarts_crashed: true,
        }
    }

    fn batch(&self) -> usize {
        BATCH
    }

    async fn check(&self) -> Result<(), ManagerError> {
        self.image().map(|_| ())
    }

    async fn add(&self, node: &Node, binary: &NodeBinary) -> Result<AddedNode, ManagerError> {
        let nodes = std::slice::from_ref(node);
        only(self.add_all(nodes, binary).await, node)
    }

    async fn add_all(
        &self,
        nodes: &[Node],
        binary: &NodeBinary,
    ) -> Vec<Result<AddedNode, ManagerError>> {
        self.make_nodes(nodes, binary).await
    }

    async fn start(&self, node: &Node) -> Result<(), ManagerError> {
        only(self.start_all(std::slice::from_ref(node)).await, node)
    }

    async fn start_all(&self, nodes: &[Node]) -> Vec<Result<(), ManagerError>> {
        self.start_or_go_back(nodes).await
    }

    async fn stop(&self, node: &Node) -> Result<(), ManagerError> {
        only(self.stop_all(std::slice::from_ref(node)).await, node)
    }

    async fn stop_all(&self, nodes: &[Node]) -> Vec<Result<(), ManagerError>> {
        self.end(nodes).await
    }

    async fn upgrade(&self, node: &Node, to: &NodeBinary) -> Result<(), ManagerError> {
        only(self.upgrade_all(std::slice::from_ref(node), to).await, node)
    }

    async fn upgrade_all(&self, nodes: &[Node], to: &NodeBinary) -> Vec<Result<(), ManagerError>> {
        self.replace_programs(nodes, to).await
    }

    async fn remove(&self, node: &Node) -> Result<(), ManagerError> {
        only(self.remove_all(std::slice::from_ref(node)).await, node)
    }

    async fn remove_all(&self, nodes: &[Node]) -> Vec<Result<(), ManagerError>> {
        self.take_away(nodes).await
    }

    async fn house(&self, nodes: &[Node], adding: &[NodeId]) -> Result<Housing, ManagerError> {
        self.see_to_containers(nodes, adding).await
    }

    async fn ask(&self, nodes: &[Node]) -> HashMap<NodeId, Probe> {
        self.ask_inside(nodes).await
    }

    async fn statuses(
        &self,
        nodes: &[Node],
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        self.states(nodes).await
    }

    async fn discover(&self) -> Result<Vec<FoundNode>, ManagerError> {
        // A service is gone with its container's start and says nothing that its directory does not, and the
        // directory says too little: neither its ports nor its rewards address.
        Ok(Vec::new())
    }

    async fn teardown(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        self.take_down(nodes).await
    }
}
