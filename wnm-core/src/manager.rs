//! The contract of managers: the trait that drives a supervisor, and its types.

mod batch;
mod containers;
mod error;
mod events;
mod inside_probe;
#[cfg(any(test, feature = "mock"))]
mod mock;
mod policy;
mod reset;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

pub use batch::{each, one, one_per_node};
pub use containers::{ContainerReport, Containers, ObservedContainers};
pub use error::ManagerError;
pub use events::{ManagerEvent, ManagerEvents};
pub use inside_probe::InsideProbe;
#[cfg(any(test, feature = "mock"))]
pub use mock::MockProcessManager;
pub use policy::{DataLocation, LanePolicy, ManagerPolicy, PortHolder};
pub use reset::{Reset, teardown};

use crate::command::CommandRunner;
use crate::firewall::{Firewall, Opening};
use crate::id::{ContainerId, NodeId};
use crate::kind::ManagerKind;
use crate::machine::{Launch, Machine};
use crate::node::{Node, ProcessState};
use crate::paths::Paths;
use crate::ports::NodePorts;
use crate::program::{NodeBinary, NodeProgram};

/// The outcomes of a call about many nodes: one for each node, in the order of the nodes.
pub type Outcomes<T> = Vec<Result<T, ManagerError>>;

/// Drives one supervisor. Stateless beyond its connection: what it learns it returns.
///
/// Every act takes many nodes and returns one outcome per node, in order. The failure for one node is no reason
/// to skip another. A supervisor that handles nodes one by one makes the batch form with [`each`], and says in
/// its [policy](ManagerPolicy::batch) how many nodes it wants per call.
///
/// Every act is idempotent: adding what is there, starting what runs, stopping what does not run and removing
/// what is gone all succeed. An act that fails leaves the node as it was, or its error says what it left.
///
/// Abilities that only some supervisors have are facets: [`containers`](Self::containers),
/// [`inside_probe`](Self::inside_probe), [`events`](Self::events) and [`reset`](Self::reset).
#[async_trait]
pub trait ProcessManager: Send + Sync {
    /// Which manager this is.
    fn kind(&self) -> ManagerKind;

    /// Facts about this manager that the observer, the decision and the executor rely on.
    fn policy(&self) -> ManagerPolicy;

    /// Checks that the supervisor is there and can be driven. Called before a colony is created under it.
    ///
    /// # Errors
    ///
    /// Whatever keeps the supervisor from being driven.
    async fn check(&self) -> Result<(), ManagerError> {
        Ok(())
    }

    /// Applies the settings that all nodes share, and opens `openings`. A run that may act calls it once, before
    /// it acts, with one opening per node that it adds, and one per port that a step of the plan opens again.
    ///
    /// # Errors
    ///
    /// The first setting or opening that failed. The run goes on.
    async fn prepare(&self, openings: &[Opening]) -> Result<(), ManagerError> {
        let _ = openings;
        Ok(())
    }

    /// Creates the directories, the node's own copy of `binary` and its service. Does not start the node and
    /// opens no port: [`prepare`](Self::prepare) and [`start`](Self::start) do.
    async fn add(&self, nodes: &[Node], binary: &NodeBinary) -> Outcomes<AddedNode>;

    /// Opens the node's port, starts it and returns once its process runs. Does not wait for its pages.
    async fn start(&self, nodes: &[Node]) -> Outcomes<()>;

    /// Stops the node and returns once no process of it is left.
    async fn stop(&self, nodes: &[Node]) -> Outcomes<()>;

    /// Replaces the node's binary by `to` and restarts the node if it ran. A stopped node stays stopped.
    async fn upgrade(&self, nodes: &[Node], to: &NodeBinary) -> Outcomes<()>;

    /// Stops the node and deletes its service, data and logs.
    async fn remove(&self, nodes: &[Node]) -> Outcomes<()>;

    /// The supervisor's word on these nodes, in as few calls as it allows. A node that the map lacks is unknown.
    /// Never says [`Stopped`](ProcessState::Stopped) without evidence.
    ///
    /// # Errors
    ///
    /// The supervisor said nothing about any node.
    async fn statuses(&self, nodes: &[Node])
    -> Result<HashMap<NodeId, ProcessState>, ManagerError>;

    /// The nodes that exist on this machine under this supervisor, for adoption.
    ///
    /// # Errors
    ///
    /// The supervisor cannot be asked.
    async fn discover(&self) -> Result<Vec<FoundNode>, ManagerError>;

    /// Deletes what wnm alone needs besides the nodes, so that another manager finds them like any node. Touches
    /// no node.
    ///
    /// # Errors
    ///
    /// What could not be deleted.
    async fn release(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        let _ = nodes;
        Ok(())
    }

    /// The containers that this manager runs nodes in, if it does.
    fn containers(&self) -> Option<&dyn Containers> {
        None
    }

    /// Probes nodes from inside, if this manager has nodes that the machine cannot reach.
    fn inside_probe(&self) -> Option<&dyn InsideProbe> {
        None
    }

    /// Removal of everything at once, if this supervisor can do better than node by node.
    fn reset(&self) -> Option<&dyn Reset> {
        None
    }

    /// Subscribes to the supervisor's events. An event is a hint to look again, and can be lost or repeated.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Unsupported`] if this manager has none.
    fn events(&self) -> Result<ManagerEvents, ManagerError> {
        Err(self.unsupported("events"))
    }

    /// The error for an ability that this manager does not offer.
    fn unsupported(&self, what: &str) -> ManagerError {
        ManagerError::Unsupported {
            manager: self.kind(),
            what: what.to_owned(),
        }
    }
}

/// What the supervisor chose when a node was added; the executor records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedNode {
    /// What it calls the node.
    pub service: String,
    /// Where the node's own binary is.
    pub binary: PathBuf,
    /// Where its data is.
    pub root_dir: PathBuf,
    /// Where its logs are.
    pub log_dir: Option<PathBuf>,
    /// The ports it has.
    pub ports: NodePorts,
    /// The container it is in.
    pub container: Option<ContainerId>,
}

/// The node as it is on record, once it is added.
impl From<Node> for AddedNode {
    fn from(node: Node) -> Self {
        Self {
            service: node.service,
            binary: node.binary,
            root_dir: node.root_dir,
            log_dir: node.log_dir,
            ports: node.ports,
            container: node.container,
        }
    }
}

/// A node that a supervisor knows and wnm may not.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundNode {
    /// Number taken from its name, where that has one.
    pub id: Option<NodeId>,
    /// What the supervisor calls it.
    pub service: String,
    /// Account it runs under.
    pub user: String,
    /// Its program.
    pub binary: PathBuf,
    /// Its data.
    pub root_dir: PathBuf,
    /// Its logs.
    pub log_dir: Option<PathBuf>,
    /// Its ports.
    pub ports: NodePorts,
    /// Its payment network.
    pub network: Option<String>,
    /// Where its rewards go.
    pub wallet: Option<crate::wallet::Address>,
    /// Whether it runs.
    pub state: ProcessState,
}

/// What a manager is built from.
#[derive(Clone)]
pub struct ManagerContext {
    /// What is run.
    pub program: Arc<dyn NodeProgram>,
    /// Runs outside commands.
    pub runner: Arc<dyn CommandRunner>,
    /// Opens and closes ports.
    pub firewall: Arc<dyn Firewall>,
    /// Where things are put.
    pub paths: Paths,
    /// What nodes are started with.
    pub launch: Launch,
    /// The account nodes run under.
    pub owner: String,
    /// Machine settings, for what only one manager reads of them.
    pub machine: Machine,
}

impl ManagerContext {
    /// Lets the network reach nodes, those in a row by one rule.
    pub async fn open_ports(&self, nodes: &[Opening]) -> Result<(), ManagerError> {
        let mut outcome = Ok(());
        for run in Opening::runs(nodes.iter().copied()) {
            let opened = self.firewall.open(&run).await;
            let opened = opened.map_err(|error| {
                ManagerError::firewall(format!("opening {}", ports_of(&run)), error)
            });
            outcome = outcome.and(opened);
        }
        outcome
    }

    /// Lets the network reach a node. Asked for at each start, as not every firewall keeps its rules over a
    /// reboot, or over a reload of its own.
    pub async fn open_port(&self, node: &Node) -> Result<(), ManagerError> {
        self.open_ports(&[Opening::of(node)]).await
    }

    /// Takes that back for nodes that are gone, going on past failures and returning the first.
    pub async fn close_ports(&self, nodes: &[Opening]) -> Result<(), ManagerError> {
        let mut outcome = Ok(());
        for run in Opening::runs(nodes.iter().copied()) {
            let closed = self.firewall.close(&run).await;
            let closed = closed.map_err(|error| {
                ManagerError::firewall(format!("closing {}", ports_of(&run)), error)
            });
            outcome = outcome.and(closed);
        }
        outcome
    }

    /// Takes it back for a node that is gone.
    pub async fn close_port(&self, node: &Node) -> Result<(), ManagerError> {
        self.close_ports(&[Opening::of(node)]).await
    }
}

fn ports_of(run: &Opening) -> String {
    let ports = run.ports();
    let word = if ports.first() == ports.last() {
        "port"
    } else {
        "ports"
    };
    format!("{word} {}", ports.text('-'))
}
