//! Puts a [`Snapshot`] together from everything that can be asked.

use std::collections::{BTreeSet, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{IdChecks, blocked_ids, data_states};
use wnm_core::container::{Container, ContainerObservation, ContainerState};
use wnm_core::id::ContainerId;
use wnm_core::id::NodeId;
use wnm_core::machine::{Machine, MachineState};
use wnm_core::manager::{
    DataLocation, LanePolicy, ManagerError, ManagerPolicy, ObservedContainers, ProcessManager,
};
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_core::node::{DataState, NodeChange, NodeEvidence, ProbeResult, lifecycle};
use wnm_core::node::{DesiredState, ObservedState};
use wnm_core::probe::{
    Counters, MachineProbe, MachineReading, NodeProbe, ObserveError, SurveyTarget,
};
use wnm_core::program::{NodeBinary, NodeProgram};
use wnm_core::quantity::{Milliseconds, UnixTime};
use wnm_core::snapshot::{BlockedId, SNAPSHOT_FORMAT, Snapshot, SupervisorState};

/// Most nodes whose version is asked of their binary in one cycle: each one is a process to run.
const VERSIONS_PER_CYCLE: usize = 16;

/// Most numbers that are looked at to find free ones in one cycle.
const IDS_LOOKED_AT: usize = 64;

/// What to observe, and what was known before.
pub struct Observer<'a> {
    /// Who runs the nodes.
    pub manager: &'a dyn ProcessManager,
    /// What is run.
    pub program: &'a dyn NodeProgram,
    /// Asks the nodes.
    pub nodes_probe: &'a dyn NodeProbe,
    /// Measures the machine.
    pub machine_probe: &'a dyn MachineProbe,
    /// The machine's settings.
    pub machine: Machine,
    /// What wnm keeps of it besides.
    pub state: MachineState,
    /// The nodes as they were recorded.
    pub nodes: Vec<Node>,
    /// The last of the recorded containers, where there are any.
    pub last_container: Option<ContainerId>,
    /// The boot of the last cycle, if there was one.
    pub last_boot: Option<String>,
    /// Counters of the last cycle.
    pub counters: Option<Counters>,
    /// Whether wnm upgrades nodes itself.
    pub upgrades_enabled: bool,
    /// Least time between the beginnings of two requests of the survey.
    pub survey_delay: Milliseconds,
    /// The time.
    pub now: UnixTime,
}

/// What was observed.
pub struct Observation {
    /// To decide on.
    pub snapshot: Snapshot,
    /// What the next measurement continues from.
    pub counters: Counters,
    /// The boot it was seen in.
    pub boot_id: String,
    /// The containers, for the record.
    pub containers: Vec<Container>,
    /// Why the containers could not be observed, where that failed.
    pub container_error: Option<String>,
    /// What happened to nodes without anyone's doing.
    pub seen: Vec<(NodeId, NodeChange)>,
}

impl Observer<'_> {
    /// Asks the supervisor, the nodes, the machine and the file system at the same time.
    ///
    /// # Errors
    ///
    /// The machine could not be measured. Nothing else that fails keeps the rest from being observed.
    pub async fn observe(mut self) -> Result<Observation, ObserveError> {
        let boot_id = self.machine_probe.boot_id()?;
        let counters = self.counters.take();
        let mut policy = self.manager.policy();
        let (statuses, probes, reading, binary, versions, roots) = tokio::join!(
            self.manager.statuses(&self.nodes),
            self.survey(),
            self.machine_probe
                .measure(self.now, &self.machine.node_storage, counters),
            self.program.version(&self.machine.antnode_path),
            missing_versions(self.program, &self.nodes),
            roots_of(&self.nodes, policy.data, &self.machine.node_storage),
        );
        let MachineReading { load, counters } = reading?;
        let (statuses, supervisor) = match statuses {
            Ok(statuses) => (statuses, SupervisorState::Answering),
            Err(error) => (HashMap::new(), SupervisorState::Silent(error.to_string())),
        };
        let seen = self.update_nodes(statuses, probes, &roots);
        for (id, version) in versions {
            if let Some(node) = self.nodes.iter_mut().find(|node| node.id == id) {
                node.version.get_or_insert(version);
            }
        }
        if let Some(last) = self.last_container {
            policy.ids = policy.ids.with_open(last);
        }
        let mut container_error = None;
        let containers = self.containers(&policy, &supervisor).await;
        let containers = containers.unwrap_or_else(|error| {
            container_error = Some(error.to_string());
            ObservedContainers::default()
        });
        let blocked_ids = self.blocked(&policy).await;
        let rebooted = self.last_boot.as_ref().is_some_and(|last| *last != boot_id);
        let snapshot = Snapshot {
            format: SNAPSHOT_FORMAT,
            taken_at: self.now,
            state: self.state,
            load,
            rebooted,
            supervisor,
            policy,
            binary: binary
                .map(|version| NodeBinary {
                    path: self.machine.antnode_path.clone(),
                    version,
                })
                .map_err(|error| error.to_string()),
            upgrades_enabled: self.upgrades_enabled,
            blocked_ids,
            containers: containers.containers,
            nodes: self.nodes,
            machine: self.machine,
        };
        Ok(Observation {
            snapshot,
            counters,
            boot_id,
            containers: containers.records,
            container_error,
            seen,
        })
    }

    /// Observes the containers, if the manager has some and its supervisor answers. A container that nodes belong
    /// in, or that should always run, and that the engine does not have is missing.
    async fn containers(
        &self,
        policy: &ManagerPolicy,
        supervisor: &SupervisorState,
    ) -> Result<ObservedContainers, ManagerError> {
        let Some(containers) = self.manager.containers() else {
            return Ok(ObservedContainers::default());
        };
        if policy.lanes != LanePolicy::PerContainer || *supervisor != SupervisorState::Answering {
            return Ok(ObservedContainers::default());
        }
        let down = |node: &&Node| {
            let state = node.observed().state;
            node.desired().state == DesiredState::Running
                && matches!(state, ObservedState::Stopped | ObservedState::Unknown)
                && node.transition().is_none_or(|step| step.acted)
        };
        let down: Vec<Node> = self.nodes.iter().filter(down).cloned().collect();
        let mut observed = containers.observe(&down).await?;
        let kept = self.nodes.iter().filter(|node| node.is_kept());
        let of_nodes = kept.filter_map(|node| {
            let by_number = || policy.ids.container_of(node.id);
            node.container.or_else(by_number)
        });
        let least = (1..=policy.min_containers).map(ContainerId);
        let mut needed: BTreeSet<ContainerId> = least.chain(of_nodes).collect();
        for container in &observed.containers {
            needed.remove(&container.id);
        }
        let missing = needed
            .into_iter()
            .map(|id| ContainerObservation::new(id, ContainerState::Missing));
        observed.containers.extend(missing);
        observed.containers.sort_by_key(|container| container.id);
        Ok(observed)
    }

    /// Probes all nodes: those that only the manager can reach through it, the others at their ports.
    async fn survey(&self) -> HashMap<NodeId, ProbeResult> {
        let mut probes = match self.manager.inside_probe() {
            Some(inside) => inside.probe(&self.nodes).await,
            None => HashMap::new(),
        };
        let mut targets = survey_targets(&self.nodes);
        targets.retain(|target| !probes.contains_key(&target.id));
        probes.extend(self.nodes_probe.survey(&targets, self.survey_delay).await);
        probes
    }

    fn update_nodes(
        &mut self,
        mut statuses: HashMap<NodeId, ProcessState>,
        mut probes: HashMap<NodeId, ProbeResult>,
        roots: &HashMap<NodeId, DataState>,
    ) -> Vec<(NodeId, NodeChange)> {
        let mut seen = Vec::new();
        for node in &mut self.nodes {
            let unmentioned =
                || ProcessState::Unknown("the supervisor did not mention it".to_owned());
            let evidence = NodeEvidence {
                process: statuses.remove(&node.id).unwrap_or_else(unmentioned),
                probe: probes.remove(&node.id),
                root: roots.get(&node.id).copied().unwrap_or(DataState::Unknown),
            };
            seen.extend(
                lifecycle::observe(node, &evidence, self.now)
                    .into_iter()
                    .map(|s| (node.id, s)),
            );
            lifecycle::settle(node, &self.machine.delays, self.now);
        }
        seen
    }

    /// Numbers in the way of the next nodes to be added. Looked for only when a node could be added.
    async fn blocked(&self, policy: &ManagerPolicy) -> Vec<BlockedId> {
        let kept = self.nodes.iter().filter(|node| node.is_kept()).count();
        let room = (self.machine.node_cap as usize).saturating_sub(kept);
        let wanted = room.min(self.machine.limits.starts as usize);
        let checks = IdChecks::for_policy(policy);
        let mut taken: BTreeSet<NodeId> = self.nodes.iter().map(|node| node.id).collect();
        let mut blocked = Vec::new();
        let (mut free, mut looked_at) = (0, 0);
        while free < wanted && looked_at < IDS_LOOKED_AT {
            let count = (wanted - free).min(IDS_LOOKED_AT - looked_at);
            let candidates =
                policy
                    .ids
                    .next(&taken, &BTreeSet::new(), self.state.highest_id, count);
            if candidates.is_empty() {
                break;
            }
            let (ports, storage) = (&self.machine.ports, &self.machine.node_storage);
            let found = blocked_ids(&candidates, checks, policy.ids, ports, storage).await;
            looked_at += candidates.len();
            free += candidates.len() - found.len();
            taken.extend(candidates);
            blocked.extend(found);
        }
        blocked
    }
}

/// Observes nodes that no colony has yet, and nothing else.
pub struct NodeObserver<'a> {
    /// Their supervisor.
    pub manager: &'a dyn ProcessManager,
    /// What they run.
    pub program: &'a dyn NodeProgram,
    /// Asks them.
    pub probe: &'a dyn NodeProbe,
    /// The node storage of the colony to be.
    pub storage: &'a Path,
    /// Pause between two nodes.
    pub survey_delay: Milliseconds,
    /// The time.
    pub now: UnixTime,
}

impl NodeObserver<'_> {
    /// Observes these nodes. A storage that has the directory of one of them is the right one, so those that lack
    /// theirs there are gone.
    ///
    /// # Errors
    ///
    /// The supervisor did not answer.
    pub async fn observe(&self, nodes: &mut [Node]) -> Result<(), ManagerError> {
        let targets = survey_targets(nodes);
        let (statuses, mut probes, versions) = tokio::join!(
            self.manager.statuses(nodes),
            self.probe.survey(&targets, self.survey_delay),
            missing_versions(self.program, nodes),
        );
        let mut statuses = statuses?;
        let data = self.manager.policy().data;
        let mut roots = roots_of(nodes, data, self.storage).await;
        let in_storage = |node: &&Node| node.root_dir.parent() == Some(self.storage);
        let present = |node: &Node| roots.get(&node.id) == Some(&DataState::Present);
        if data == DataLocation::Local && nodes.iter().filter(in_storage).any(present) {
            for node in nodes.iter().filter(in_storage) {
                if node.root_dir.symlink_metadata().is_err() {
                    roots.insert(node.id, DataState::Gone);
                }
            }
        }
        for node in nodes.iter_mut() {
            let unmentioned =
                || ProcessState::Unknown("the supervisor did not mention it".to_owned());
            let evidence = NodeEvidence {
                process: statuses.remove(&node.id).unwrap_or_else(unmentioned),
                probe: probes.remove(&node.id),
                root: roots.get(&node.id).copied().unwrap_or(DataState::Unknown),
            };
            // What it was before is not known, so that nothing about it is news.
            drop(lifecycle::observe(node, &evidence, self.now));
        }
        for (id, version) in versions {
            if let Some(node) = nodes.iter_mut().find(|node| node.id == id) {
                node.version.get_or_insert(version);
            }
        }
        Ok(())
    }
}

/// Whether the nodes' directories are there. A node whose data is elsewhere lacks none.
async fn roots_of(
    nodes: &[Node],
    data: DataLocation,
    storage: &Path,
) -> HashMap<NodeId, DataState> {
    match data {
        DataLocation::Local => data_states(nodes, storage).await,
        DataLocation::Elsewhere => {
            let present = nodes.iter().map(|node| (node.id, DataState::Present));
            present.collect()
        }
    }
}

fn survey_targets(nodes: &[Node]) -> Vec<SurveyTarget> {
    nodes
        .iter()
        .filter(|node| !node.is_disabled())
        .filter_map(|node| {
            let port = node.ports.metrics?;
            Some(SurveyTarget {
                id: node.id,
                host: node.host.clone(),
                port,
            })
        })
        .collect()
}

/// Whether a file belongs to the caller. In sudo mode a node's binary belongs to the node's account, which could
/// put anything in its place: root does not run it.
fn is_own(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|found| found.uid() == nix::unistd::geteuid().as_raw())
}

/// A node without a version is asked through its binary, so that it is neither passed over by upgrades nor
/// taken for outdated.
async fn missing_versions(
    program: &dyn NodeProgram,
    nodes: &[Node],
) -> Vec<(NodeId, semver::Version)> {
    let mut versions = Vec::new();
    let without = nodes
        .iter()
        .filter(|node| node.version.is_none() && !node.is_disabled() && is_own(&node.binary));
    for node in without.take(VERSIONS_PER_CYCLE) {
        match program.version(&node.binary).await {
            Ok(version) => versions.push((node.id, version)),
            Err(error) => tracing::debug!(node = %node.id, %error, "no version from its binary"),
        }
    }
    versions
}
