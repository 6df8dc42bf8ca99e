use std::fmt;
use std::path::PathBuf;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::PortSpan;
use crate::id::NodeId;
use crate::ports::{Port, PortUse};
use crate::quantity::{Percent, Seconds};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Something does not work now.
    Fault,
    /// Something can break, or be lost.
    Risk,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Fault => "fault",
            Severity::Risk => "risk",
            Severity::Note => "note",
        }
    }
}

/// How many nodes have a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionCount {
    /// The version.
    pub version: Version,
    /// How many have it.
    pub nodes: usize,
}

/// One thing that does not fit. Nodes are named as their directories are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs)] // Each variant says what its few fields are.
pub enum Finding {
    /// The supervisor does not answer.
    SupervisorSilent { reason: String },
    /// The storage is not there.
    StorageMissing { path: PathBuf },
    /// The node program cannot be used.
    ProgramUnusable { reason: String },
    /// A recorded node that the supervisor does not know; `restorable` if its service can be written again.
    ServiceMissing { id: NodeId, restorable: bool },
    /// A recorded node whose directory is gone.
    NodeDead { id: NodeId },
    /// A recorded node whose program is gone.
    NodeProgramMissing { id: NodeId, path: PathBuf },
    /// A node of the supervisor that is not recorded.
    ServiceUnknown { service: String, root_dir: PathBuf },
    /// A directory that belongs to no node.
    DirectoryUnknown { path: PathBuf, has_key: bool },
    /// Recorded nodes that have one port.
    PortShared { port: Port, ids: Vec<NodeId> },
    /// Recorded nodes that say they are the same one.
    PeerShared { peer_id: String, ids: Vec<NodeId> },
    /// A port of a node, or of one that could be added, that something else has.
    PortTaken {
        id: NodeId,
        range: PortUse,
        port: Port,
    },
    /// Another node answers where this one should.
    ForeignAnswer { id: NodeId, peer_id: Option<String> },
    /// Ports of nodes that the kernel may give to any program.
    PortsEphemeral {
        ports: PortSpan,
        reserved: Vec<PortSpan>,
    },
    /// Nodes of several versions.
    VersionsMixed { versions: Vec<VersionCount> },
    /// More nodes than there may be.
    CapExceeded { nodes: usize, cap: u32 },
    /// The disk is fuller than nodes may be kept on.
    DiskFull {
        used: Percent,
        remove_above: Percent,
    },
    /// The nodes may come to store more than the disk has room for.
    DiskTight { nodes: usize, fit: u64 },
    /// The clock is behind what was recorded by it.
    ClockBehind { by: Seconds },
    /// The clock follows no time server.
    ClockFree,
    /// Nodes end with the login of their user.
    LingeringOff { user: String },
    /// What a manager finds wrong: a word for it, how bad it is, what it is, and the command that mends it.
    OfManager {
        code: String,
        severity: Severity,
        problem: String,
        command: String,
    },
    /// The Python wnm runs on this machine.
    PythonRuns { process: i32 },
    /// A lock of the Python wnm that a crash left.
    PythonLockStale { path: PathBuf, age: Seconds },
    /// anm drives the same nodes.
    AnmScheduled { cron: PathBuf },
}

impl Finding {
    /// How bad it is.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::OfManager { severity, .. } => *severity,
            Self::SupervisorSilent { .. }
            | Self::StorageMissing { .. }
            | Self::ProgramUnusable { .. }
            | Self::ServiceMissing { .. }
            | Self::NodeProgramMissing { .. }
            | Self::PortShared { .. }
            | Self::PeerShared { .. }
            | Self::ForeignAnswer { .. }
            | Self::DiskFull { .. }
            | Self::ClockBehind { .. }
            | Self::PythonRuns { .. }
            | Self::AnmScheduled { .. } => Severity::Fault,
            Self::PortTaken { .. }
            | Self::PortsEphemeral { .. }
            | Self::CapExceeded { .. }
            | Self::DiskTight { .. }
            | Self::LingeringOff { .. } => Severity::Risk,
            Self::NodeDead { .. }
            | Self::ServiceUnknown { .. }
            | Self::DirectoryUnknown { .. }
            | Self::VersionsMixed { .. }
            | Self::ClockFree
            | Self::PythonLockStale { .. } => Severity::Note,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SupervisorSilent { reason } => {
                write!(
                    f,
                    "the process manager does not answer, so nothing is done: {reason}"
                )
            }
            Self::StorageMissing { path } => {
                write!(f, "the node storage {} is not there", path.display())
            }
            Self::ProgramUnusable { reason } => write!(f, "no node can be added: {reason}"),
            Self::ServiceMissing { id, .. } => {
                write!(
                    f,
                    "{} has no service any more, and its data is there",
                    name(*id)
                )
            }
            Self::NodeDead { id } => write!(f, "{} has no directory any more", name(*id)),
            Self::NodeProgramMissing { id, path } => {
                write!(f, "{} has lost its program {}", name(*id), path.display())
            }
            Self::ServiceUnknown { service, root_dir } => {
                write!(
                    f,
                    "{service} runs a node that wnm does not know, in {}",
                    root_dir.display()
                )
            }
            Self::DirectoryUnknown { path, has_key } => {
                write!(f, "{} belongs to no node", path.display())?;
                f.write_str(if *has_key {
                    ", and has the key of one"
                } else {
                    ""
                })
            }
            Self::PortShared { port, ids } => {
                write!(f, "{} are both recorded with port {port}", names(ids))
            }
            Self::PeerShared { peer_id, ids } => {
                write!(f, "{} are one and the same node, {peer_id}", names(ids))
            }
            Self::PortTaken { id, range, port } => {
                write!(
                    f,
                    "{range} port {port} of {} is taken by another program",
                    name(*id)
                )
            }
            Self::ForeignAnswer { id, peer_id } => match peer_id {
                Some(peer) => write!(
                    f,
                    "another node ({peer}) answers in the place of {}",
                    name(*id)
                ),
                None => write!(f, "something else answers in the place of {}", name(*id)),
            },
            Self::PortsEphemeral { ports, .. } => write!(
                f,
                "ports {ports} of nodes are among those that the kernel gives to any program"
            ),
            Self::VersionsMixed { versions } => {
                let each = versions
                    .iter()
                    .map(|count| format!("{} of {}", count.nodes, count.version));
                write!(
                    f,
                    "nodes are of several versions: {}",
                    each.collect::<Vec<_>>().join(", ")
                )
            }
            Self::CapExceeded { nodes, cap } => write!(
                f,
                "there are {nodes} nodes and the cap is {cap}: the next cycles remove {} with their data",
                nodes.saturating_sub(*cap as usize)
            ),
            Self::DiskFull { used, remove_above } => {
                write!(
                    f,
                    "the disk is {used} full, and above {remove_above} nodes are removed"
                )
            }
            Self::DiskTight { nodes, fit } => write!(
                f,
                "{nodes} nodes may come to store more than the disk has room for, which is enough for {fit}"
            ),
            Self::ClockBehind { by } => {
                write!(
                    f,
                    "the clock is {by} behind what was recorded by it, so delays do not end"
                )
            }
            Self::ClockFree => f.write_str("the clock follows no time server"),
            Self::LingeringOff { user } => {
                write!(
                    f,
                    "nodes end when {user} logs out and do not come back after a reboot"
                )
            }
            Self::OfManager { problem, .. } => f.write_str(problem),
            Self::PythonRuns { process } => {
                write!(f, "the Python wnm is at work too (process {process})")
            }
            Self::PythonLockStale { path, age } => write!(
                f,
                "the Python wnm left {} {age} ago, which keeps it from running",
                path.display()
            ),
            Self::AnmScheduled { cron } => {
                write!(
                    f,
                    "anm is run by {} and drives the same nodes",
                    cron.display()
                )
            }
        }
    }
}

fn name(id: NodeId) -> String {
    id.directory_name()
}

fn names(ids: &[NodeId]) -> String {
    ids.iter()
        .map(|id| name(*id))
        .collect::<Vec<_>>()
        .join(" and ")
}
