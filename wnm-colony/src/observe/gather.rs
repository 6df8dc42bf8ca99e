//! Puts a [`Snapshot`] together from everything that can be asked.

use std::collections::{BTreeSet, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Tried, blocked_ids, data_states};
use wnm_core::id::ContainerId;
use wnm_core::id::NodeId;
use wnm_core::machine::{Machine, MachineState};
use wnm_core::manager::{ManagerError, ManagerPolicy, ProcessManager};
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_core::node::{DataState, NodeChange, NodeEvidence, ProbeResult, lifecycle};
use wnm_core::numbering::IdPolicy;
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

/// Where to look, and what was known before.
pub struct Looking<'a> {
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

/// What was found.
pub struct Sight {
    /// To decide on.
    pub snapshot: Snapshot,
    /// What the next measurement continues from.
    pub counters: Counters,
    /// The boot it was seen in.
    pub boot_id: String,
    /// What happened to nodes without anyone's doing.
    pub seen: Vec<(NodeId, NodeChange)>,
}

impl Looking<'_> {
    /// Asks the supervisor, the nodes, the machine and the file system at the same time.
    pub async fn look(mut self) -> Result<Sight, ObserveError> {
        let boot_id = self.machine_probe.boot_id()?;
        let counters = self.counters.take();
        let (statuses, probes, reading, binary, versions, roots) = tokio::join!(
            self.manager.statuses(&self.nodes),
            self.survey(),
            self.machine_probe
                .measure(self.now, &self.machine.node_storage, counters),
            self.program.version(&self.machine.antnode_path),
            missing_versions(self.program, &self.nodes),
            data_states(&self.nodes, &self.machine.node_storage),
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
        let mut policy = self.manager.policy();
        if let Some(last) = self.last_container {
            policy.ids = policy.ids.with_open(last);
        }
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
            nodes: self.nodes,
            machine: self.machine,
        };
        Ok(Sight {
            snapshot,
            counters,
            boot_id,
            seen,
        })
    }

    /// Asks all nodes: those that the manager alone can reach through it, the others at their ports.
    async fn survey(&self) -> HashMap<NodeId, ProbeResult> {
        let mut probes = self.manager.ask(&self.nodes).await;
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
        // The engine holds the ports of a whole container that it publishes.
        let tried = match policy.ids {
            IdPolicy::Blocks { .. } if self.manager.holds_ports() => Tried::Places,
            _ => Tried::PortsAndPlaces,
        };
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
            let found = blocked_ids(&candidates, tried, policy.ids, ports, storage).await;
            looked_at += candidates.len();
            free += candidates.len() - found.len();
            taken.extend(candidates);
            blocked.extend(found);
        }
        blocked
    }
}

/// What is needed to look at nodes that no colony has yet.
pub struct LookingAtNodes<'a> {
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

/// Looks at nodes and at nothing else. A storage that has the directory of one of them is the right one, so that
/// those that are missing there are gone.
pub async fn look_at_nodes(
    looking: &LookingAtNodes<'_>,
    nodes: &mut [Node],
) -> Result<(), ManagerError> {
    let targets = survey_targets(nodes);
    let (statuses, mut probes, versions) = tokio::join!(
        looking.manager.statuses(nodes),
        looking.probe.survey(&targets, looking.survey_delay),
        missing_versions(looking.program, nodes),
    );
    let mut statuses = statuses?;
    let mut roots = data_states(nodes, looking.storage).await;
    let in_storage = |node: &&Node| node.root_dir.parent() == Some(looking.storage);
    let present = |node: &Node| roots.get(&node.id) == Some(&DataState::Present);
    if nodes.iter().filter(in_storage).any(present) {
        for node in nodes.iter().filter(in_storage) {
            if node.root_dir.symlink_metadata().is_err() {
                roots.insert(node.id, DataState::Gone);
            }
        }
    }
    for node in nodes.iter_mut() {
        let unmentioned = || ProcessState::Unknown("the supervisor did not mention it".to_owned());
        let evidence = NodeEvidence {
            process: statuses.remove(&node.id).unwrap_or_else(unmentioned),
            probe: probes.remove(&node.id),
            root: roots.get(&node.id).copied().unwrap_or(DataState::Unknown),
        };
        // What it was before is not known, so that nothing about it is news.
        drop(lifecycle::observe(node, &evidence, looking.now));
    }
    for (id, version) in versions {
        if let Some(node) = nodes.iter_mut().find(|node| node.id == id) {
            node.version.get_or_insert(version);
        }
    }
    Ok(())
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
