//! Who runs the nodes: the trait that every supervisor is driven through, and what it speaks of.

mod error;
mod housing;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use error::ManagerError;
pub use housing::Housing;

use crate::command::CommandRunner;
use crate::firewall::{Firewall, Opening};
use crate::id::{ContainerId, NodeId};
use crate::kind::ManagerKind;
use crate::machine::{Launch, Machine};
use crate::node::{Node, ProbeResult, ProcessState};
use crate::numbering::IdPolicy;
use crate::paths::Paths;
use crate::ports::NodePorts;
use crate::program::{NodeBinary, NodeProgram};

/// Drives one supervisor. Stateless beyond its connection: what it learns it returns.
///
/// Every act is idempotent: adding what is there, starting what runs, stopping what does not and removing
/// what is gone all succeed. An act that fails leaves the node as it was or says what it left.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait ProcessManager: Send + Sync {
    /// Which manager this is.
    fn kind(&self) -> ManagerKind;

    /// What it can and cannot do, which the executor and the allocation of ids go by.
    fn policy(&self) -> ManagerPolicy;

    /// Whether the supervisor is there and can be driven. Asked before a colony is made under it.
    async fn check(&self) -> Result<(), ManagerError> {
        Ok(())
    }

    /// Brings what all nodes share up to the settings, and opens the ports that are about to be needed: `coming`
    /// has one for each node that the run adds, and after a reboot, which some firewalls forget their rules
    /// with, one for each node that there is. A run that may act calls it once, before it acts.
    async fn prepare(&self, coming: &[Opening]) -> Result<(), ManagerError> {
        let _ = coming;
        Ok(())
    }

    /// Makes directories, the node's own copy of `binary` and its service. Does not start it, and opens no port:
    /// that is for [`prepare`](Self::prepare) and [`start`](Self::start).
    async fn add(&self, node: &Node, binary: &NodeBinary) -> Result<AddedNode, ManagerError>;

    /// Sees that its port is open, starts it and returns once its process runs; that it answers is not waited
    /// for.
    async fn start(&self, node: &Node) -> Result<(), ManagerError>;

    /// Stops it and returns once no process of it is left.
    async fn stop(&self, node: &Node) -> Result<(), ManagerError>;

    /// Replaces its binary by `to` and, if it ran, runs it again. A stopped node stays stopped.
    async fn upgrade(&self, node: &Node, to: &NodeBinary) -> Result<(), ManagerError>;

    /// Stops it and deletes its service, data and logs.
    async fn remove(&self, node: &Node) -> Result<(), ManagerError>;

    /// Most nodes that it takes in one call of the methods for many. More than one for a supervisor to which many
    /// cost hardly more than one.
    fn batch(&self) -> usize {
        1
    }

    /// [`add`](Self::add) for many. This and the other methods for many give an outcome for each node, in order;
    /// what fails for one is no reason to leave out another.
    async fn add_all(
        &self,
        nodes: &[Node],
        binary: &NodeBinary,
    ) -> Vec<Result<AddedNode, ManagerError>> {
        let mut outcomes = Vec::with_capacity(nodes.len());
        for node in nodes {
            outcomes.push(self.add(node, binary).await);
        }
        outcomes
    }

    /// [`start`](Self::start) for many.
    async fn start_all(&self, nodes: &[Node]) -> Vec<Result<(), ManagerError>> {
        let mut outcomes = Vec::with_capacity(nodes.len());
        for node in nodes {
            outcomes.push(self.start(node).await);
        }
        outcomes
    }

    /// [`stop`](Self::stop) for many.
    async fn stop_all(&self, nodes: &[Node]) -> Vec<Result<(), ManagerError>> {
        let mut outcomes = Vec::with_capacity(nodes.len());
        for node in nodes {
            outcomes.push(self.stop(node).await);
        }
        outcomes
    }

    /// [`upgrade`](Self::upgrade) for many.
    async fn upgrade_all(&self, nodes: &[Node], to: &NodeBinary) -> Vec<Result<(), ManagerError>> {
        let mut outcomes = Vec::with_capacity(nodes.len());
        for node in nodes {
            outcomes.push(self.upgrade(node, to).await);
        }
        outcomes
    }

    /// [`remove`](Self::remove) for many.
    async fn remove_all(&self, nodes: &[Node]) -> Vec<Result<(), ManagerError>> {
        let mut outcomes = Vec::with_capacity(nodes.len());
        for node in nodes {
            outcomes.push(self.remove(node).await);
        }
        outcomes
    }

    /// For managers with containers ([`LanePolicy::PerContainer`]): sees to it that those which these nodes, and
    /// nodes of the numbers `adding`, are in are there and run, and brings back the nodes that went down with
    /// theirs. A run that may act calls it before it decides, and again where it adds nodes.
    async fn house(&self, nodes: &[Node], adding: &[NodeId]) -> Result<Housing, ManagerError> {
        let _ = (nodes, adding);
        Ok(Housing::default())
    }

    /// What nodes say of themselves, for those of them that cannot be asked from here at their metrics port: a
    /// node in a network of its own. The others are left out, and are asked there.
    async fn ask(&self, nodes: &[Node]) -> HashMap<NodeId, ProbeResult> {
        let _ = nodes;
        HashMap::new()
    }

    /// What the supervisor says of these nodes, in as few calls to it as it allows. A node it does not
    /// mention is unknown. An error means that it said nothing about any of them.
    async fn statuses(&self, nodes: &[Node])
    -> Result<HashMap<NodeId, ProcessState>, ManagerError>;

    /// Nodes that exist on this machine under this supervisor, for adoption.
    async fn discover(&self) -> Result<Vec<FoundNode>, ManagerError>;

    /// Takes away what only wnm needs besides the nodes, so that another manager finds them as any node. Touches no
    /// node.
    async fn release(&self, _nodes: &[Node]) -> Result<(), ManagerError> {
        Ok(())
    }

    /// Everything gone: by default node by node, going on past failures and returning the first.
    async fn teardown(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        let mut outcome = Ok(());
        for node in nodes {
            let removed = self.remove(node).await;
            if outcome.is_ok() {
                outcome = removed;
            }
        }
        outcome
    }
}

/// Facts about a manager that others act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagerPolicy {
    /// How numbers are given to new nodes.
    pub ids: IdPolicy,
    /// What may go on at once.
    pub lanes: LanePolicy,
    /// Whether the supervisor itself brings back a node that died.
    pub restarts_crashed: bool,
}

/// Operations in one lane happen in order; lanes happen at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LanePolicy {
    /// A lane per node.
    PerNode,
    /// A lane per container.
    PerContainer,
    /// One lane for all: the supervisor bears one caller at a time.
    Single,
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
