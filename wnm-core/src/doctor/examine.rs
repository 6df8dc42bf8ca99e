//! From facts to findings. Pure.

use std::collections::BTreeMap;

use semver::Version;

use super::PYTHON_LOCK_VALID;
use super::{Facts, Finding, PortSpan, VersionCount};
use crate::id::NodeId;
use crate::node::{Node, ObservedState};
use crate::ports::PortUse;
use crate::quantity::Seconds;

/// How far the clock may be behind a record: one set by hand or by a time server that took a moment.
const CLOCK_SLACK: Seconds = Seconds(120);

/// Everything that does not fit, the worst first.
pub fn examine(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    of_the_machine(facts, &mut findings);
    of_recorded_nodes(facts, &mut findings);
    of_the_unknown(facts, &mut findings);
    of_ports(facts, &mut findings);
    of_the_disk(facts, &mut findings);
    findings.extend(mixed_versions(&facts.nodes));
    of_other_managers(facts, &mut findings);
    // Stable, so that findings of one kind stay together and in the order of nodes.
    findings.sort_by_key(Finding::severity);
    findings
}

fn of_the_machine(facts: &Facts, findings: &mut Vec<Finding>) {
    if let Err(reason) = &facts.supervisor {
        let reason = reason.clone();
        findings.push(Finding::SupervisorSilent { reason });
    }
    if !facts.storage.exists {
        let path = facts.machine.node_storage.clone();
        findings.push(Finding::StorageMissing { path });
    }
    if let Err(reason) = &facts.program {
        let reason = reason.clone();
        findings.push(Finding::ProgramUnusable { reason });
    }
    let clock = &facts.clock;
    let behind = clock.newest_record.since(clock.now);
    if behind > CLOCK_SLACK {
        findings.push(Finding::ClockBehind { by: behind });
    }
    if clock.synchronized == Some(false) {
        findings.push(Finding::ClockFree);
    }
    findings.extend(facts.of_manager.iter().cloned());
}

fn of_recorded_nodes(facts: &Facts, findings: &mut Vec<Finding>) {
    for node in &facts.nodes {
        let id = node.id;
        if !node.is_kept() {
            continue;
        }
        if node.observed().state == ObservedState::Dead {
            findings.push(Finding::NodeDead { id });
        } else if facts.without_service.contains(&id)
            && node.observed().state == ObservedState::Stopped
        {
            let restorable = facts.restorable.contains(&id);
            findings.push(Finding::ServiceMissing { id, restorable });
        } else if facts.without_program.contains(&id) {
            let path = node.binary.clone();
            findings.push(Finding::NodeProgramMissing { id, path });
        }
    }
    let kept = || facts.nodes.iter().filter(|node| node.is_kept());
    for (port, ids) in shared(kept().map(|node| (node.ports.node, node.id))) {
        findings.push(Finding::PortShared { port, ids });
    }
    let peers = kept().filter_map(|node| Some((node.peer_id.clone()?, node.id)));
    for (peer_id, ids) in shared(peers.filter(|(peer, _)| !peer.is_empty())) {
        findings.push(Finding::PeerShared { peer_id, ids });
    }
    let (nodes, cap) = (kept().count(), facts.machine.node_cap);
    if nodes > cap as usize {
        findings.push(Finding::CapExceeded { nodes, cap });
    }
}

/// What several nodes have, with these nodes.
fn shared<K: Ord>(all: impl Iterator<Item = (K, NodeId)>) -> Vec<(K, Vec<NodeId>)> {
    let mut by_key: BTreeMap<K, Vec<NodeId>> = BTreeMap::new();
    for (key, id) in all {
        by_key.entry(key).or_default().push(id);
    }
    by_key
        .into_iter()
        .filter(|(_, ids)| ids.len() > 1)
        .collect()
}

fn of_the_unknown(facts: &Facts, findings: &mut Vec<Finding>) {
    let recorded = |dir| facts.nodes.iter().any(|node| node.root_dir == dir);
    let found = facts.supervisor.as_deref().unwrap_or_default();
    for node in found.iter().filter(|node| !recorded(node.root_dir.clone())) {
        findings.push(Finding::ServiceUnknown {
            service: node.service.clone(),
            root_dir: node.root_dir.clone(),
        });
    }
    for dir in &facts.directories {
        let is_found = found.iter().any(|node| node.root_dir == dir.path);
        if !is_found && !recorded(dir.path.clone()) {
            findings.push(Finding::DirectoryUnknown {
                path: dir.path.clone(),
                has_key: dir.has_key,
            });
        }
    }
}

fn of_ports(facts: &Facts, findings: &mut Vec<Finding>) {
    findings.extend(facts.taken_ports.iter().map(|taken| Finding::PortTaken {
        id: taken.id,
        range: taken.range,
        port: taken.port,
    }));
    for (id, peer_id) in &facts.foreign_answers {
        let (id, peer_id) = (*id, peer_id.clone());
        findings.push(Finding::ForeignAnswer { id, peer_id });
    }
    let Some(kernel) = &facts.kernel_ports else {
        return;
    };
    for range in [PortUse::Node, PortUse::Metrics] {
        if let Some(ports) = span(facts, range).and_then(|span| kernel.exposed(span)) {
            let reserved = kernel.reserved.clone();
            findings.push(Finding::PortsEphemeral { ports, reserved });
        }
    }
}

/// The ports that nodes have or may come to have.
fn span(facts: &Facts, range: PortUse) -> Option<PortSpan> {
    let highest = facts.nodes.iter().map(|node| node.id).max();
    let highest = highest.max(NodeId::new(facts.machine.node_cap))?;
    let base = facts.machine.ports.base(range);
    Some(PortSpan {
        first: base.port(NodeId::FIRST).ok()?.get(),
        last: base.port(highest).map_or(u16::MAX, |port| port.get()),
    })
}

fn of_the_disk(facts: &Facts, findings: &mut Vec<Finding>) {
    let (storage, machine) = (&facts.storage, &facts.machine);
    let remove_above = machine.thresholds.disk.remove_above;
    if storage.used > remove_above {
        let used = storage.used;
        findings.push(Finding::DiskFull { used, remove_above });
    }
    let nodes = facts.nodes.iter().filter(|node| node.is_kept()).count();
    let room = storage.total as f64 * (remove_above.get() / 100.0).min(1.0);
    if machine.crisis_bytes > 0 && storage.total > 0 {
        let fit = (room / machine.crisis_bytes as f64) as u64;
        if nodes as u64 > fit {
            findings.push(Finding::DiskTight { nodes, fit });
        }
    }
}

fn mixed_versions(nodes: &[Node]) -> Option<Finding> {
    let mut counts: BTreeMap<&Version, usize> = BTreeMap::new();
    let kept = nodes
        .iter()
        .filter(|node| node.is_kept() && !node.is_disabled());
    for version in kept.filter_map(|node| node.version.as_ref()) {
        *counts.entry(version).or_default() += 1;
    }
    let versions = counts.into_iter().map(|(version, nodes)| VersionCount {
        version: version.clone(),
        nodes,
    });
    let versions: Vec<_> = versions.collect();
    (versions.len() > 1).then_some(Finding::VersionsMixed { versions })
}

fn of_other_managers(facts: &Facts, findings: &mut Vec<Finding>) {
    if let Some(process) = facts.python.process {
        findings.push(Finding::PythonRuns { process });
    } else if let Some((path, age)) = &facts.python.lock
        && *age >= PYTHON_LOCK_VALID
    {
        findings.push(Finding::PythonLockStale {
            path: path.clone(),
            age: *age,
        });
    }
    if let Some(cron) = &facts.anm_cron {
        let cron = cron.clone();
        findings.push(Finding::AnmScheduled { cron });
    }
}
