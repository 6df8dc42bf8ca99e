use std::path::PathBuf;

use super::{Finding, PortSpan};
use crate::id::NodeId;
use crate::ports::PortUse;

/// What mends a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// A command, or what a person has to do.
    pub command: String,
    /// What `--fix` does, where that touches no node and no data.
    pub fix: Option<Fix>,
}

/// What can be mended without a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// The service of a node is written again. It is not started.
    RestoreService(NodeId),
    /// The lock file of the Python wnm is deleted.
    RemovePythonLock(PathBuf),
}

/// Mends what [`Fix`] can.
const FIX: &str = "wnm doctor --fix";

impl Finding {
    /// What mends it.
    pub fn remedy(&self) -> Remedy {
        let (command, fix) = match self {
            Self::ServiceMissing {
                id,
                restorable: true,
            } => (FIX.to_owned(), Some(Fix::RestoreService(*id))),
            Self::PythonLockStale { path, .. } => {
                (FIX.to_owned(), Some(Fix::RemovePythonLock(path.clone())))
            }
            other => (other.command(), None),
        };
        Remedy { command, fix }
    }

    fn command(&self) -> String {
        match self {
            Self::SupervisorSilent { .. } => {
                "see why it does not answer; nothing is done until it does".to_owned()
            }
            Self::StorageMissing { .. } => "mount the disk it is on".to_owned(),
            Self::ProgramUnusable { .. } => "wnm --antnode-path PATH".to_owned(),
            Self::ServiceMissing { id, .. } => {
                format!(
                    "put its service back; or wnm --force-action remove {}",
                    named(*id)
                )
            }
            Self::NodeDead { .. } => "wnm  (the next cycle forgets it)".to_owned(),
            Self::NodeProgramMissing { id, .. } => {
                format!("wnm --force-action upgrade {}", named(*id))
            }
            Self::ServiceUnknown { .. } => "wnm --import".to_owned(),
            Self::DirectoryUnknown {
                path,
                has_key: true,
            } => format!(
                "keep a copy of {}/secret-key before you delete it",
                path.display()
            ),
            Self::DirectoryUnknown { path, .. } => format!("rm -r {}", quoted(path)),
            Self::PortShared { ids, .. } | Self::PeerShared { ids, .. } => {
                let last = ids.last().copied().unwrap_or(NodeId::FIRST);
                format!("wnm --force-action remove {}  (with its data)", named(last))
            }
            Self::PortTaken { range, port, .. } => match range {
                PortUse::Node => format!("sudo ss -lunp sport = :{port}"),
                PortUse::Metrics | PortUse::Rpc => format!("sudo ss -ltnp sport = :{port}"),
            },
            Self::ForeignAnswer { id, .. } => {
                format!(
                    "wnm --report node-status-details {}  (and see who has its metrics port)",
                    named(*id)
                )
            }
            Self::PortsEphemeral { ports, reserved } => reserve(*ports, reserved),
            Self::VersionsMixed { .. } => "wnm --enable-upgrade".to_owned(),
            Self::CapExceeded { nodes, .. } => format!("wnm --node-cap {nodes}"),
            Self::DiskFull { .. } => "free space, or wnm --hd-remove PERCENT".to_owned(),
            Self::DiskTight { nodes, fit } => {
                let over = (*nodes as u64).saturating_sub(*fit);
                format!(
                    "a larger disk; or wnm --node-cap {fit}, which removes {over} with their data"
                )
            }
            Self::ClockBehind { .. } => "set the clock".to_owned(),
            Self::ClockFree => "sudo timedatectl set-ntp true".to_owned(),
            Self::LingeringOff { user } => format!("loginctl enable-linger {user}"),
            Self::OfManager { command, .. } => command.clone(),
            Self::PythonRuns { .. } => "crontab -e  and delete its line".to_owned(),
            Self::PythonLockStale { .. } => FIX.to_owned(),
            Self::AnmScheduled { cron } => format!("sudo rm {}", cron.display()),
        }
    }
}

fn named(id: NodeId) -> String {
    format!("--service-name {}", id.directory_name())
}

fn quoted(path: &std::path::Path) -> String {
    let text = path.display().to_string();
    shlex::try_quote(&text).map_or_else(|_| text.clone(), |quoted| quoted.into_owned())
}

/// Adds ports to those that the kernel leaves out, for good.
fn reserve(ports: PortSpan, reserved: &[PortSpan]) -> String {
    let mut all: Vec<PortSpan> = reserved.to_vec();
    all.push(ports);
    all.sort();
    let spans: Vec<String> = all
        .iter()
        .map(|span| match span.first == span.last {
            true => span.first.to_string(),
            false => span.to_string(),
        })
        .collect();
    format!(
        "echo net.ipv4.ip_local_reserved_ports={} | sudo tee /etc/sysctl.d/60-wnm.conf && sudo sysctl --system",
        spans.join(",")
    )
}
