//! Collecting what [`wnm_core::doctor`] examines, and mending what can be mended.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use semver::Version;

use super::{Colony, ColonyError, CycleOptions, open};
use crate::observe::taken_ports;
use crate::store::Changes;
use crate::takeover::{anm, python};
use wnm_core::command::CommandSpec;
use wnm_core::doctor::{
    ClockFacts, Facts, Finding, Fix, KernelPorts, NodeDirectory, PythonFacts, StorageFacts,
};
use wnm_core::event::{Event, EventKind, EventReason, Outcome};
use wnm_core::id::NodeId;
use wnm_core::manager::{LanePolicy, one};
use wnm_core::node::NodeChange;
use wnm_core::node::ProcessState;
use wnm_core::node::{Node, ObservedState};
use wnm_core::ports::NodePorts;
use wnm_core::program::NodeBinary;
use wnm_core::quantity::UnixTime;
use wnm_core::snapshot::{Snapshot, SupervisorState, TakenPort};
use wnm_host::blocking;

/// The kernel's settings of ports.
const PORT_RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";
const RESERVED_PORTS: &str = "/proc/sys/net/ipv4/ip_local_reserved_ports";

/// `timedatectl` answers at once, or waits for a service that does not come up.
const CLOCK_DEADLINE: Duration = Duration::from_secs(5);

/// Numbers without a node whose ports are tried: what the next cycles may give.
const NUMBERS_TRIED: usize = 200;

impl Colony {
    /// Looks at everything that [`wnm_core::doctor::examine`] needs. Nothing is written or changed.
    pub async fn facts(&self) -> Result<Facts, ColonyError> {
        let sight = self.look(&CycleOptions::default()).await?;
        let snapshot = sight.snapshot;
        let nodes = snapshot.nodes.clone();
        let (statuses, found) =
            tokio::join!(self.manager.statuses(&nodes), self.manager.discover());
        let without_service: BTreeSet<NodeId> = statuses
            .unwrap_or_default()
            .into_iter()
            .filter(|(_, state)| *state == ProcessState::Missing)
            .map(|(id, _)| id)
            .collect();
        let supervisor = match (&snapshot.supervisor, found) {
            (SupervisorState::Silent(reason), _) => Err(reason.clone()),
            (SupervisorState::Answering, found) => found.map_err(|error| error.to_string()),
        };
        let now = snapshot.taken_at;
        let storage = self.machine.node_storage.clone();
        let program = self.environment.program.clone();
        let (directories, exists, without_program) = {
            let nodes = nodes.clone();
            let looked = blocking(move || {
                let dirs = directories(&storage, |dir| program.identity_file(dir).exists());
                Ok((dirs, storage.is_dir(), without_program(&nodes)))
            });
            looked.await.map_err(|source| ColonyError::Manager {
                kind: self.machine.manager.clone(),
                source,
            })?
        };
        let python_lock = self.python_lock();
        Ok(Facts {
            restorable: self.restorable(&nodes, &without_service),
            taken_ports: self.taken_ports(&snapshot).await,
            foreign_answers: foreign_answers(sight.seen),
            program: snapshot.binary.clone().map(|binary| binary.version),
            kernel_ports: kernel_ports(),
            storage: StorageFacts {
                exists,
                used: snapshot.load.disk,
                total: snapshot.load.disk_total,
            },
            clock: ClockFacts {
                now,
                newest_record: self.newest_record().await?,
                synchronized: self.synchronized().await,
            },
            python: PythonFacts {
                process: python::running(&python_lock),
                lock: age(&python_lock, now).map(|age| (python_lock, age)),
            },
            anm_cron: anm::scheduled(Path::new("/"))
                .filter(|_| self.machine.manager == anm::MANAGER),
            machine: self.machine.clone(),
            supervisor,
            without_service,
            without_program,
            directories,
            of_manager: self.findings_of_manager(),
            nodes,
        })
    }

    /// Does what a fix says. What came of it is in the journal.
    pub async fn mend(&mut self, finding: &Finding, fix: &Fix) -> Result<(), ColonyError> {
        match fix {
            Fix::RestoreService(id) => self.restore_service(*id).await?,
            Fix::RemovePythonLock(path) => remove_lock(path)?,
        }
        let reason = EventReason::Finding {
            finding: finding.clone(),
        };
        let now = self.environment.clock.now();
        let event = Event::new(now, EventKind::Repaired, Outcome::Done, reason);
        let event = match fix {
            Fix::RestoreService(id) => event.about(*id),
            Fix::RemovePythonLock(_) => event,
        };
        let changes = Changes {
            events: vec![event],
            ..Changes::default()
        };
        Ok(self.store.record(&changes).await?)
    }

    /// Adding what is there is idempotent: directories and program stay, and the service is written.
    async fn restore_service(&self, id: NodeId) -> Result<(), ColonyError> {
        let nodes = self.store.nodes().await?;
        let Some(node) = nodes.iter().find(|node| node.id == id) else {
            return Ok(());
        };
        let own = NodeBinary {
            path: node.binary.clone(),
            version: node.version.clone().unwrap_or(Version::new(0, 0, 0)),
        };
        let kind = self.machine.manager.clone();
        let added = one(
            node,
            self.manager.add(std::slice::from_ref(node), &own).await,
        );
        added
            .map(drop)
            .map_err(|source| ColonyError::Manager { kind, source })
    }

    fn python_lock(&self) -> PathBuf {
        let mode = self.machine.manager.mode();
        open::python_lock_beside(&self.db, mode, self.environment.home.as_deref())
    }

    fn findings_of_manager(&self) -> Vec<Finding> {
        let kind = &self.machine.manager;
        let factory = self.environment.managers.factory(kind);
        factory.map_or_else(|_| Vec::new(), |factory| factory.findings(kind))
    }

    /// Nodes that are where wnm puts them and called as it calls them: their service can be made again from what is
    /// recorded.
    fn restorable(&self, nodes: &[Node], missing: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        let own = |node: &&Node| {
            let name = node.id.directory_name();
            let called = node.service == name || node.service == format!("{name}.service");
            missing.contains(&node.id)
                && called
                && node.root_dir == self.paths.node_dir(node.id)
                && node.binary == node.root_dir.join(self.environment.program.name())
                && node.binary.is_file()
        };
        nodes.iter().filter(own).map(|node| node.id).collect()
    }

    /// Not of managers with containers, whose engine holds the ports of a whole container.
    async fn taken_ports(&self, snapshot: &Snapshot) -> Vec<TakenPort> {
        if snapshot.policy.lanes == LanePolicy::PerContainer {
            return Vec::new();
        }
        let stopped = |node: &&Node| node.observed().state == ObservedState::Stopped;
        let nodes = snapshot.nodes.iter().filter(stopped);
        let mut wanted: Vec<(NodeId, NodePorts)> =
            nodes.map(|node| (node.id, node.ports)).collect();
        let recorded = |id: &NodeId| snapshot.nodes.iter().any(|node| node.id == *id);
        let free = (1..=self.machine.node_cap).filter_map(NodeId::new);
        let free = free.filter(|id| !recorded(id)).take(NUMBERS_TRIED);
        wanted.extend(free.filter_map(|id| Some((id, self.machine.ports.of(id).ok()?))));
        // A number whose ports a node of another number has is no finding of its own.
        wanted.retain(|(id, ports)| {
            let others = snapshot.nodes.iter().filter(|node| node.id != *id);
            others.clone().all(|node| node.ports.node != ports.node)
        });
        taken_ports(wanted).await
    }

    async fn newest_record(&self) -> Result<UnixTime, ColonyError> {
        let state = self.store.cycle_state().await?;
        let nodes = self.store.nodes().await?;
        let times = nodes
            .iter()
            .map(|node| node.status_since().max(node.observed().at));
        let times = times.chain(state.last_cycle_at);
        Ok(times.max().unwrap_or_default())
    }

    async fn synchronized(&self) -> Option<bool> {
        let spec = CommandSpec::new("timedatectl", CLOCK_DEADLINE).args([
            "show",
            "--property=NTPSynchronized",
            "--value",
        ]);
        let output = self.environment.runner.run(&spec).await.ok()?;
        match String::from_utf8_lossy(&output.stdout).trim() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }
}

fn directories(storage: &Path, has_key: impl Fn(&Path) -> bool) -> Vec<NodeDirectory> {
    let entries = std::fs::read_dir(storage).into_iter().flatten().flatten();
    let mut found: Vec<NodeDirectory> = entries
        .filter(|entry| {
            let named = entry.file_name().to_string_lossy().starts_with("antnode");
            named && entry.file_type().is_ok_and(|kind| kind.is_dir())
        })
        .map(|entry| NodeDirectory {
            has_key: has_key(&entry.path()),
            path: entry.path(),
        })
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// What cannot be looked at is not said to be missing.
fn without_program(nodes: &[Node]) -> BTreeSet<NodeId> {
    let lost = |node: &&Node| {
        let is_missing = |path: &Path| {
            let entry = path.symlink_metadata();
            entry.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
        };
        node.root_dir.is_dir() && is_missing(&node.binary)
    };
    nodes.iter().filter(lost).map(|node| node.id).collect()
}

fn foreign_answers(seen: Vec<(NodeId, NodeChange)>) -> Vec<(NodeId, Option<String>)> {
    let foreign = |(id, seen)| match seen {
        NodeChange::ForeignListener { peer_id } => Some((id, peer_id)),
        _ => None,
    };
    seen.into_iter().filter_map(foreign).collect()
}

fn kernel_ports() -> Option<KernelPorts> {
    let range = std::fs::read_to_string(PORT_RANGE).ok()?;
    let reserved = std::fs::read_to_string(RESERVED_PORTS).unwrap_or_default();
    KernelPorts::read(&range, &reserved)
}

fn age(lock: &Path, now: UnixTime) -> Option<wnm_core::quantity::Seconds> {
    let begun = crate::lock::python_run_started(lock).ok()??;
    Some(now.since(begun))
}

fn remove_lock(path: &Path) -> Result<(), ColonyError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(ColonyError::Storage {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}
