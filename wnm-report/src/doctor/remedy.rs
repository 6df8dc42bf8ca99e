//! What a person can do about a finding, as commands of this program and of the system.

use std::path::Path;

use wnm_core::doctor::{Finding, PortSpan};
use wnm_core::id::NodeId;
use wnm_core::ports::PortUse;

/// Repairs what [`Finding::fix`] can.
const FIX: &str = "wnm doctor --fix";

/// The command that repairs a finding, or what a person has to do.
pub(super) fn remedy(finding: &Finding) -> String {
    match finding.fix() {
        Some(_) => FIX.to_owned(),
        None => command(finding),
    }
}

fn command(finding: &Finding) -> String {
    match finding {
        Finding::SupervisorSilent { .. } => {
            "see why it does not answer; nothing is done until it does".to_owned()
        }
        Finding::StorageMissing { .. } => "mount the disk it is on".to_owned(),
        Finding::ProgramUnusable { .. } => "wnm --antnode-path PATH".to_owned(),
        Finding::ServiceMissing { id, .. } => {
            format!(
                "put its service back; or wnm --force-action remove {}",
                named(*id)
            )
        }
        Finding::NodeDead { .. } => "wnm  (the next cycle forgets it)".to_owned(),
        Finding::NodeProgramMissing { id, .. } => {
            format!("wnm --force-action upgrade {}", named(*id))
        }
        Finding::ServiceUnknown { .. } => "wnm --import".to_owned(),
        Finding::DirectoryUnknown {
            path,
            has_key: true,
        } => format!(
            "keep a copy of {}/secret-key before you delete it",
            path.display()
        ),
        Finding::DirectoryUnknown { path, .. } => format!("rm -r {}", quoted(path)),
        Finding::PortShared { ids, .. } | Finding::PeerShared { ids, .. } => {
            let last = ids.last().copied().unwrap_or(NodeId::FIRST);
            format!("wnm --force-action remove {}  (with its data)", named(last))
        }
        Finding::PortTaken { range, port, .. } => match range {
            PortUse::Node => format!("sudo ss -lunp sport = :{port}"),
            PortUse::Metrics | PortUse::Rpc => format!("sudo ss -ltnp sport = :{port}"),
        },
        Finding::ForeignAnswer { id, .. } => {
            format!(
                "wnm --report node-status-details {}  (and see who has its metrics port)",
                named(*id)
            )
        }
        Finding::PortsEphemeral { ports, reserved } => reserve(*ports, reserved),
        Finding::VersionsMixed { .. } => "wnm --enable-upgrade".to_owned(),
        Finding::CapExceeded { nodes, .. } => format!("wnm --node-cap {nodes}"),
        Finding::DiskFull { .. } => "free space, or wnm --hd-remove PERCENT".to_owned(),
        Finding::DiskTight { nodes, fit } => {
            let over = (*nodes as u64).saturating_sub(*fit);
            format!("a larger disk; or wnm --node-cap {fit}, which removes {over} with their data")
        }
        Finding::ClockBehind { .. } => "set the clock".to_owned(),
        Finding::ClockFree => "sudo timedatectl set-ntp true".to_owned(),
        Finding::LingeringOff { user } => format!("loginctl enable-linger {user}"),
        Finding::OfManager { command, .. } => command.clone(),
        Finding::PythonRuns { .. } => "crontab -e  and delete its line".to_owned(),
        Finding::PythonLockStale { .. } => FIX.to_owned(),
        Finding::AnmScheduled { cron } => format!("sudo rm {}", cron.display()),
    }
}

fn named(id: NodeId) -> String {
    format!("--service-name {}", id.directory_name())
}

fn quoted(path: &Path) -> String {
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
