//! A process manager of our own, `memory+user`: its nodes are entries in a table. A real one would drive tmux,
//! OpenRC or a cloud; what wnm asks of it is the same.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use wnm_core::id::NodeId;
use wnm_core::kind::ManagerKind;
use wnm_core::manager::{
    AddedNode, DataLocation, FoundNode, ManagerContext, ManagerError, ManagerPolicy, Outcomes,
    PortHolder, ProcessManager, each,
};
use wnm_core::node::{Node, ProcessState};
use wnm_core::program::NodeBinary;
use wnm_core::registry::ManagerFactory;

/// The name under which a colony chooses this manager.
pub const MEMORY_USER: ManagerKind = ManagerKind::from_static("memory+user");

/// The supervisor: what runs, and with which program. It outlives the managers that drive it.
#[derive(Debug, Clone, Default)]
pub struct Supervisor(Arc<Mutex<BTreeMap<NodeId, Service>>>);

/// A node as the supervisor has it.
#[derive(Debug, Clone)]
pub struct Service {
    /// The node as it was added.
    pub node: Node,
    /// Its program.
    pub binary: NodeBinary,
    /// Whether it runs.
    pub running: bool,
}

impl Supervisor {
    /// All services, by number.
    pub fn services(&self) -> MutexGuard<'_, BTreeMap<NodeId, Service>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a service that is there.
    fn change(&self, node: &Node, change: impl FnOnce(&mut Service)) -> Result<(), ManagerError> {
        match self.services().get_mut(&node.id) {
            Some(service) => {
                change(service);
                Ok(())
            }
            None => Err(ManagerError::NotFound(node.service.clone())),
        }
    }
}

/// Builds the manager, over one supervisor.
#[derive(Debug, Clone, Default)]
pub struct MemoryFactory(pub Supervisor);

impl ManagerFactory for MemoryFactory {
    fn kinds(&self) -> Vec<ManagerKind> {
        vec![MEMORY_USER]
    }

    fn build(
        &self,
        _: &ManagerKind,
        _: ManagerContext,
    ) -> Result<Arc<dyn ProcessManager>, ManagerError> {
        Ok(Arc::new(Memory(self.0.clone())))
    }
}

/// The manager.
#[derive(Debug, Clone, Default)]
pub struct Memory(pub Supervisor);

#[async_trait]
impl ProcessManager for Memory {
    fn kind(&self) -> ManagerKind {
        MEMORY_USER
    }

    fn policy(&self) -> ManagerPolicy {
        let mut policy = ManagerPolicy::default();
        // Nodes have no directory here, and nothing listens on their ports.
        policy.data = DataLocation::Elsewhere;
        policy.ports = PortHolder::Engine;
        policy
    }

    async fn add(&self, nodes: &[Node], binary: &NodeBinary) -> Outcomes<AddedNode> {
        each(nodes, async |node| {
            let added = Node {
                service: format!("memory-{}", node.id),
                ..node.clone()
            };
            self.0.services().entry(node.id).or_insert_with(|| Service {
                node: added.clone(),
                binary: binary.clone(),
                running: false,
            });
            Ok(AddedNode::from(added))
        })
        .await
    }

    async fn start(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, async |node| {
            self.0.change(node, |service| service.running = true)
        })
        .await
    }

    async fn stop(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, async |node| {
            if let Some(service) = self.0.services().get_mut(&node.id) {
                service.running = false;
            }
            Ok(())
        })
        .await
    }

    async fn upgrade(&self, nodes: &[Node], to: &NodeBinary) -> Outcomes<()> {
        each(nodes, async |node| {
            self.0.change(node, |service| service.binary = to.clone())
        })
        .await
    }

    async fn remove(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, async |node| {
            self.0.services().remove(&node.id);
            Ok(())
        })
        .await
    }

    async fn statuses(
        &self,
        nodes: &[Node],
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        let services = self.0.services();
        let state = |node: &Node| match services.get(&node.id) {
            Some(service) if service.running => ProcessState::Running { pid: None },
            Some(_) => ProcessState::Stopped,
            None => ProcessState::Missing,
        };
        Ok(nodes.iter().map(|node| (node.id, state(node))).collect())
    }

    async fn discover(&self) -> Result<Vec<FoundNode>, ManagerError> {
        let services = self.0.services();
        let found = services.values().map(|service| FoundNode {
            id: Some(service.node.id),
            service: service.node.service.clone(),
            user: service.node.user.clone(),
            binary: service.node.binary.clone(),
            root_dir: service.node.root_dir.clone(),
            log_dir: service.node.log_dir.clone(),
            ports: service.node.ports,
            network: Some(service.node.network.clone()),
            wallet: service.node.wallet,
            state: match service.running {
                true => ProcessState::Running { pid: None },
                false => ProcessState::Stopped,
            },
        });
        Ok(found.collect())
    }
}
