//! The process manager `s6overlay+user`: runs nodes as s6 services in Docker containers.
//!
//! A colony has containers `a1`, `a2`, …, each with a block of node numbers and thus of ports. Each container runs
//! s6, and each node is an s6 service. The data of the nodes is on the machine, in directories that every container
//! mounts. A container holds no data of its own, so wnm creates a missing one again.
//!
//! The manager talks to s6 through the engine, with one exec for all nodes of a container: an exec costs as much as
//! two hundred services. Each exec runs one of the fixed scripts in `scripts`, with all parameters as arguments.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod add;
mod container_paths;
mod containers;
mod create_container;
pub mod dockerfile;
mod engine;
mod ensure_containers;
mod factory;
mod fault_points;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzzing;
mod options;
mod owner;
mod port_check;
mod probe;
mod remove;
mod run_script;
mod scripts;
mod start_stop;
mod status;
mod status_output;
mod teardown;
mod upgrade;

pub use factory::{S6OverlayFactory, USER};
pub use fault_points::FAULT_POINTS;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use wnm_core::container::{Block, ContainerNetwork};
use wnm_core::id::ContainerId;
use wnm_core::id::NodeId;
use wnm_core::kind::ManagerKind;
use wnm_core::manager::{
    AddedNode, Containers, FoundNode, InsideProbe, LanePolicy, ManagerContext, ManagerError,
    ManagerPolicy, Outcomes, PortHolder, ProcessManager, Reset,
};
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_core::numbering::IdPolicy;
use wnm_core::program::NodeBinary;
use wnm_host::files::{Direct, Files};

use crate::container_paths::ContainerPaths;
use crate::containers::ContainerSet;
use crate::engine::Engine;
use crate::options::{ContainerSettings, NETWORK};
use crate::owner::Owner;

/// Nodes per call: enough that the cost of calls is small, few enough that a progress bar moves.
const BATCH: usize = 50;

/// Manages nodes as s6 services in Docker containers.
pub struct S6Overlay {
    kind: ManagerKind,
    context: ManagerContext,
    settings: ContainerSettings,
    nodes_per_container: NonZeroU32,
    engine: Engine,
    container_set: ContainerSet,
    container_paths: ContainerPaths,
    owner: Owner,
    files: Arc<dyn Files>,
}

impl S6Overlay {
    /// Creates a manager for the engine at `DOCKER_HOST`, or the machine's own. Does not connect yet.
    ///
    /// # Errors
    ///
    /// Returns [`ManagerError::Rejected`] if `max_node_per_container` is 0 or `container_network` is unknown.
    pub fn new(kind: ManagerKind, context: ManagerContext) -> Result<Self, ManagerError> {
        let settings = ContainerSettings::new(&context.machine.manager_settings);
        let settings = settings.map_err(|error| ManagerError::Rejected {
            what: NETWORK.to_owned(),
            words: error.to_string(),
        })?;
        let nodes_per_container = NonZeroU32::new(settings.max_nodes);
        let nodes_per_container = nodes_per_container.ok_or_else(|| ManagerError::Rejected {
            what: "max_node_per_container".to_owned(),
            words: "must be at least 1".to_owned(),
        })?;
        let owner = Owner::of_storage(&context.paths.node_storage);
        let files = match owner.is_caller() {
            true => Direct::for_caller(),
            false => Direct::for_numbers(owner.uid, owner.gid),
        };
        Ok(Self {
            kind,
            settings,
            nodes_per_container,
            engine: Engine::from_env(),
            container_set: ContainerSet::of_storage(&context.paths.node_storage),
            container_paths: ContainerPaths::new(&context.paths),
            owner,
            files: Arc::new(files),
            context,
        })
    }

    /// The container of a node. A node without one gets it from its number.
    fn container_of(&self, node: &Node) -> ContainerId {
        node.container
            .unwrap_or_else(|| Block::container_of(node.id, self.nodes_per_container))
    }

    /// Groups nodes by container. Each node comes with its index in `nodes`.
    fn group_by_container<'a>(
        &self,
        nodes: &'a [Node],
    ) -> Vec<(ContainerId, Vec<(usize, &'a Node)>)> {
        let mut groups: std::collections::BTreeMap<ContainerId, Vec<(usize, &Node)>> =
            std::collections::BTreeMap::new();
        for (index, node) in nodes.iter().enumerate() {
            let group = groups.entry(self.container_of(node)).or_default();
            group.push((index, node));
        }
        groups.into_iter().collect()
    }
}

#[async_trait]
impl ProcessManager for S6Overlay {
    fn kind(&self) -> ManagerKind {
        self.kind.clone()
    }

    fn policy(&self) -> ManagerPolicy {
        ManagerPolicy {
            ids: IdPolicy::Blocks {
                size: self.nodes_per_container.get(),
                open: self.settings.min_count,
            },
            lanes: LanePolicy::PerContainer,
            restarts_crashed: true,
            batch: BATCH,
            min_containers: self.settings.min_count,
            ports: match self.settings.network {
                ContainerNetwork::Host => PortHolder::Node,
                ContainerNetwork::Published => PortHolder::Engine,
            },
            ..ManagerPolicy::default()
        }
    }

    async fn check(&self) -> Result<(), ManagerError> {
        self.image().map(|_| ())
    }

    async fn add(&self, nodes: &[Node], binary: &NodeBinary) -> Outcomes<AddedNode> {
        self.add_nodes(nodes, binary).await
    }

    async fn start(&self, nodes: &[Node]) -> Outcomes<()> {
        self.start_nodes(nodes).await
    }

    async fn stop(&self, nodes: &[Node]) -> Outcomes<()> {
        self.stop_nodes(nodes).await
    }

    async fn upgrade(&self, nodes: &[Node], to: &NodeBinary) -> Outcomes<()> {
        self.upgrade_nodes(nodes, to).await
    }

    async fn remove(&self, nodes: &[Node]) -> Outcomes<()> {
        self.remove_nodes(nodes).await
    }

    async fn statuses(
        &self,
        nodes: &[Node],
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        self.states(nodes).await
    }

    async fn discover(&self) -> Result<Vec<FoundNode>, ManagerError> {
        // There is nothing to adopt from: services do not outlive a container's start, and a node's directory
        // contains neither its ports nor its rewards address.
        Ok(Vec::new())
    }

    fn containers(&self) -> Option<&dyn Containers> {
        Some(self)
    }

    fn inside_probe(&self) -> Option<&dyn InsideProbe> {
        Some(self)
    }

    fn reset(&self) -> Option<&dyn Reset> {
        Some(self)
    }
}
