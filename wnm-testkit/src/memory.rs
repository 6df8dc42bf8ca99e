//! A supervisor in memory.

mod containers;
mod events;
mod lie;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use tokio::sync::mpsc::UnboundedSender;
use wnm_core::container::ContainerState;
use wnm_core::id::{ContainerId, NodeId};
use wnm_core::kind::ManagerKind;
use wnm_core::manager::{
    AddedNode, Containers, DataLocation, FoundNode, LanePolicy, ManagerError, ManagerEvent,
    ManagerEvents, ManagerPolicy, Outcomes, PortHolder, ProcessManager, each,
};
use wnm_core::node::{Node, ProcessState};
use wnm_core::numbering::IdPolicy;
use wnm_core::program::NodeBinary;

pub use lie::Lie;

/// A supervisor in memory: its nodes have no process, no directory and no port.
///
/// It passes the conformance suite. [`silence`](Self::silence), [`refuse`](Self::refuse),
/// [`panic_on`](Self::panic_on) and [`lie`](Self::lie) make it misbehave.
#[derive(Debug)]
pub struct MemoryManager {
    kind: ManagerKind,
    policy: ManagerPolicy,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    services: BTreeMap<NodeId, Service>,
    foreign: BTreeSet<String>,
    containers: BTreeMap<ContainerId, ContainerState>,
    silent: Option<String>,
    lie: Option<Lie>,
    refusals: BTreeSet<(&'static str, NodeId)>,
    panics: BTreeSet<&'static str>,
    unstoppable: BTreeSet<NodeId>,
    calls: Vec<String>,
    subscribers: Vec<UnboundedSender<ManagerEvent>>,
}

/// A node as the supervisor has it.
#[derive(Debug, Clone)]
struct Service {
    node: Node,
    binary: NodeBinary,
    running: bool,
    /// Whether its container has dropped it.
    dropped: bool,
}

impl Default for MemoryManager {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryManager {
    /// A supervisor without nodes.
    pub fn new() -> Self {
        Self {
            kind: wnm_core::testing::MANAGER,
            policy: ManagerPolicy {
                data: DataLocation::Elsewhere,
                ports: PortHolder::Engine,
                ..ManagerPolicy::default()
            },
            state: Mutex::default(),
        }
    }

    /// A supervisor that runs nodes in containers of `size` nodes each.
    pub fn with_containers(size: u32) -> Self {
        let mut manager = Self::new();
        manager.policy.ids = IdPolicy::Blocks { size, open: 1 };
        manager.policy.lanes = LanePolicy::PerContainer;
        manager.policy.batch = 10;
        manager
    }

    /// Changes the facts about this manager.
    #[must_use]
    pub fn with_policy(mut self, change: impl FnOnce(&mut ManagerPolicy)) -> Self {
        change(&mut self.policy);
        self
    }

    /// Answers nothing from now on.
    pub fn silence(&self) {
        self.state().silent = Some("it is silent".to_owned());
    }

    /// Answers again.
    pub fn speak(&self) {
        self.state().silent = None;
    }

    /// Breaks the contract in one way.
    pub fn lie(&self, lie: Lie) {
        self.state().lie = Some(lie);
    }

    /// Refuses this act, such as `start`, for a node.
    pub fn refuse(&self, act: &'static str, node: NodeId) {
        self.state().refusals.insert((act, node));
    }

    /// Refuses nothing from now on.
    pub fn allow_all(&self) {
        self.state().refusals.clear();
        self.state().panics.clear();
    }

    /// Panics in this act, such as `start`.
    pub fn panic_on(&self, act: &'static str) {
        self.state().panics.insert(act);
    }

    /// Lets nothing stop a node.
    pub fn make_unstoppable(&self, node: NodeId) {
        self.state().unstoppable.insert(node);
    }

    /// Kills a node, as a crash would.
    pub fn kill(&self, node: NodeId) {
        let mut state = self.state();
        if let Some(service) = state.services.get_mut(&node) {
            service.running = false;
            let service = service.node.service.clone();
            state.publish(ManagerEvent::NodeDown { service });
        }
    }

    /// Kills all nodes.
    pub fn kill_all(&self) {
        let ids: Vec<NodeId> = self.state().services.keys().copied().collect();
        for id in ids {
            self.kill(id);
        }
    }

    /// Adds a service that is not wnm's.
    pub fn add_foreign(&self, name: &str) {
        self.state().foreign.insert(name.to_owned());
    }

    /// Whether a service that is not wnm's is still there.
    pub fn has_foreign(&self, name: &str) -> bool {
        self.state().foreign.contains(name)
    }

    /// Whether a node runs.
    pub fn is_running(&self, node: NodeId) -> bool {
        let state = self.state();
        state.services.get(&node).is_some_and(|found| found.running)
    }

    /// Whether a node is there, running or not.
    pub fn has_node(&self, node: NodeId) -> bool {
        self.state().services.contains_key(&node)
    }

    /// The program of a node.
    pub fn program_of(&self, node: NodeId) -> Option<NodeBinary> {
        let state = self.state();
        state.services.get(&node).map(|found| found.binary.clone())
    }

    /// Every act so far, in order, such as `start 1 2 3`.
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic that a test asked for happens outside the lock.
        self.state.lock().unwrap()
    }

    /// Does one act for each node.
    async fn act<T: Send>(
        &self,
        act: &'static str,
        nodes: &[Node],
        does: impl Fn(&mut State, &Node) -> Result<T, ManagerError> + Sync,
    ) -> Outcomes<T> {
        let numbers = nodes.iter().map(|node| format!(" {}", node.id));
        let call = format!("{act}{}", numbers.collect::<String>());
        let (lie, panics) = {
            let mut state = self.state();
            state.calls.push(call);
            (state.lie, state.panics.contains(act))
        };
        assert!(!panics, "asked to panic in {act}");
        let mut outcomes = each(nodes, |node| async {
            let mut state = self.state();
            state.check_answers()?;
            state.check_name(node)?;
            if state.refusals.contains(&(act, node.id)) {
                return Err(rejected(act, node, "refused"));
            }
            does(&mut state, node)
        })
        .await;
        match lie {
            Some(Lie::ShortOutcomes) => drop(outcomes.pop()),
            Some(Lie::SwappedOutcomes) => outcomes.reverse(),
            _ => {}
        }
        outcomes
    }
}

impl State {
    fn check_answers(&self) -> Result<(), ManagerError> {
        match &self.silent {
            None => Ok(()),
            Some(reason) => Err(ManagerError::Unreachable {
                supervisor: "memory".to_owned(),
                reason: reason.clone(),
            }),
        }
    }

    /// A service of ours has the name that an add gave it, or still the one on record before.
    fn check_name(&self, node: &Node) -> Result<(), ManagerError> {
        let known = [service_name(node), node.id.directory_name()];
        if known.contains(&node.service) || self.lie == Some(Lie::TakesAnyName) {
            return Ok(());
        }
        Err(rejected("naming", node, "it is not a name of a service"))
    }

    fn publish(&mut self, event: ManagerEvent) {
        self.subscribers
            .retain(|subscriber| subscriber.send(event.clone()).is_ok());
    }

    fn start(&mut self, node: &Node) -> Result<(), ManagerError> {
        let closed = node
            .container
            .is_some_and(|id| self.containers.get(&id).copied() != Some(ContainerState::Running));
        if closed {
            return Err(rejected("starting", node, "its container does not run"));
        }
        let repeats = self.lie == Some(Lie::RefusesRepeats);
        let service = self.services.get_mut(&node.id);
        let service = service.ok_or_else(|| ManagerError::NotFound(node.service.clone()))?;
        if service.running && repeats {
            return Err(rejected("starting", node, "it runs"));
        }
        service.dropped = false;
        if !std::mem::replace(&mut service.running, true) {
            let service = service.node.service.clone();
            self.publish(ManagerEvent::NodeUp { service });
        }
        Ok(())
    }

    fn stop(&mut self, node: &Node) -> Result<(), ManagerError> {
        if self.unstoppable.contains(&node.id) {
            return Err(rejected("stopping", node, "it still runs"));
        }
        if self.lie == Some(Lie::StopsNothing) {
            return Ok(());
        }
        let repeats = self.lie == Some(Lie::RefusesRepeats);
        let Some(service) = self.services.get_mut(&node.id) else {
            return Ok(());
        };
        if !service.running && repeats {
            return Err(rejected("stopping", node, "it does not run"));
        }
        if std::mem::replace(&mut service.running, false) {
            let service = service.node.service.clone();
            self.publish(ManagerEvent::NodeDown { service });
        }
        Ok(())
    }

    fn upgrade(&mut self, node: &Node, to: &NodeBinary) -> Result<(), ManagerError> {
        let starts = self.lie == Some(Lie::UpgradeStarts);
        let service = self.services.get_mut(&node.id);
        let service = service.ok_or_else(|| ManagerError::NotFound(node.service.clone()))?;
        service.binary = to.clone();
        service.running |= starts;
        if service.running {
            let service = service.node.service.clone();
            self.publish(ManagerEvent::NodeRestarted { service });
        }
        Ok(())
    }

    fn remove(&mut self, node: &Node) -> Result<(), ManagerError> {
        if self.lie == Some(Lie::RefusesRepeats) && !self.services.contains_key(&node.id) {
            return Err(ManagerError::NotFound(node.service.clone()));
        }
        if self.lie == Some(Lie::TouchesForeign) {
            self.foreign.clear();
        }
        // This lie leaves the process and deletes what it runs from.
        if self.lie != Some(Lie::RemovesUnderLiving) {
            self.stop(node)?;
        }
        self.services.remove(&node.id);
        Ok(())
    }

    fn status(&self, node: &Node) -> ProcessState {
        if let Some(id) = node.container
            && self.containers.get(&id) == Some(&ContainerState::Unknown)
        {
            return ProcessState::Unknown(format!("container {id} is paused"));
        }
        match self.services.get(&node.id) {
            None => ProcessState::Missing,
            Some(service) if service.dropped => ProcessState::Missing,
            Some(service) if service.running => ProcessState::Running { pid: None },
            Some(_) => ProcessState::Stopped,
        }
    }
}

fn service_name(node: &Node) -> String {
    format!("memory-{}", node.id.directory_name())
}

fn rejected(what: &str, node: &Node, words: &str) -> ManagerError {
    ManagerError::Rejected {
        what: format!("{what} {}", node.service),
        words: words.to_owned(),
    }
}

#[async_trait]
impl ProcessManager for MemoryManager {
    fn kind(&self) -> ManagerKind {
        self.kind.clone()
    }

    fn policy(&self) -> ManagerPolicy {
        self.policy.clone()
    }

    async fn check(&self) -> Result<(), ManagerError> {
        self.state().check_answers()
    }

    async fn add(&self, nodes: &[Node], binary: &NodeBinary) -> Outcomes<AddedNode> {
        let ids = self.policy.ids;
        self.act("add", nodes, |state, node| {
            if state.lie == Some(Lie::RefusesRepeats) && state.services.contains_key(&node.id) {
                return Err(rejected("adding", node, "it is there"));
            }
            let added = Node {
                service: service_name(node),
                container: node.container.or_else(|| ids.container_of(node.id)),
                ..node.clone()
            };
            state.services.entry(node.id).or_insert_with(|| Service {
                node: added.clone(),
                binary: binary.clone(),
                running: false,
                dropped: false,
            });
            Ok(added.into())
        })
        .await
    }

    async fn start(&self, nodes: &[Node]) -> Outcomes<()> {
        self.act("start", nodes, State::start).await
    }

    async fn stop(&self, nodes: &[Node]) -> Outcomes<()> {
        self.act("stop", nodes, State::stop).await
    }

    async fn upgrade(&self, nodes: &[Node], to: &NodeBinary) -> Outcomes<()> {
        self.act("upgrade", nodes, |state, node| state.upgrade(node, to))
            .await
    }

    async fn remove(&self, nodes: &[Node]) -> Outcomes<()> {
        self.act("remove", nodes, State::remove).await
    }

    async fn statuses(
        &self,
        nodes: &[Node],
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        let state = self.state();
        if state.silent.is_some() && state.lie == Some(Lie::SilentMeansStopped) {
            return Ok(nodes
                .iter()
                .map(|node| (node.id, ProcessState::Stopped))
                .collect());
        }
        state.check_answers()?;
        Ok(nodes
            .iter()
            .map(|node| (node.id, state.status(node)))
            .collect())
    }

    async fn discover(&self) -> Result<Vec<FoundNode>, ManagerError> {
        let state = self.state();
        state.check_answers()?;
        if state.lie == Some(Lie::HidesNodes) {
            return Ok(Vec::new());
        }
        let found = state.services.values().map(|service| FoundNode {
            id: Some(service.node.id),
            service: service.node.service.clone(),
            user: service.node.user.clone(),
            binary: service.node.binary.clone(),
            root_dir: service.node.root_dir.clone(),
            log_dir: service.node.log_dir.clone(),
            ports: service.node.ports,
            network: Some(service.node.network.clone()),
            wallet: service.node.wallet,
            state: state.status(&service.node),
        });
        Ok(found.collect())
    }

    fn containers(&self) -> Option<&dyn Containers> {
        match self.policy.lanes {
            LanePolicy::PerContainer => Some(self),
            LanePolicy::PerNode | LanePolicy::Single => None,
        }
    }

    fn events(&self) -> Result<ManagerEvents, ManagerError> {
        let (sender, events) = events::channel();
        self.state().subscribers.push(sender);
        Ok(events)
    }
}

#[cfg(test)]
mod tests;
