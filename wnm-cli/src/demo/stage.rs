use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use wnm_colony::{Colony, CycleOptions, Environment};
use wnm_config::{Layers, MachineFacts, OptionTable};
use wnm_core::cycle::CycleReport;
use wnm_core::firewall::NoFirewall;
use wnm_core::id::NodeId;
use wnm_core::machine::Machine;
use wnm_core::node::Node;
use wnm_core::ports::PortBase;

use super::machine::PretendedMachine;
use crate::error::ProgramError;
use crate::managers;

/// Nodes the demonstration grows to.
pub const CAP: u32 = 6;

/// The version nodes begin with, and the one they are upgraded to.
pub const VERSIONS: [&str; 2] = ["0.4.16", "0.4.17"];

/// Where port ranges are looked for: below the range from which the kernel gives ports to clients.
const PORT_BASES: std::ops::Range<u8> = 10..32;

/// Everything the demonstration is played with.
pub struct Stage {
    dir: TempDir,
    machine: Arc<PretendedMachine>,
    colony: Colony,
}

impl Stage {
    /// Makes the directory, the node program and a colony without nodes.
    pub async fn set() -> Result<Self, ProgramError> {
        let dir = tempfile::Builder::new().prefix("wnm-demo-").tempdir()?;
        let program = dir.path().join("antnode");
        wnm_simnode::stamp(&std::env::current_exe()?, &program, VERSIONS[0])?;

        let machine = Arc::new(PretendedMachine::default());
        let environment = Environment::system(managers::registry(None), managers::programs())
            .machine_probe(machine.clone())
            .firewall(Arc::new(NoFirewall))
            .home(Some(dir.path().to_owned()));
        let db = dir.path().join("colony.db");
        let settings = settings(dir.path(), &program)?;
        let colony = Colony::init(&db, settings, environment).await?;
        Ok(Self {
            dir,
            machine,
            colony,
        })
    }

    /// Sets how busy the pretended machine is.
    pub fn set_cpu(&self, percent: u32) {
        self.machine.set_cpu(percent);
    }

    /// Puts the newer node program in the place of the older one.
    pub fn publish_upgrade(&self) -> Result<(), ProgramError> {
        let program = self.dir.path().join("antnode");
        Ok(wnm_simnode::stamp(
            &std::env::current_exe()?,
            &program,
            VERSIONS[1],
        )?)
    }

    /// One cycle.
    pub async fn cycle(&mut self, upgrades_enabled: bool) -> Result<CycleReport, ProgramError> {
        let options = CycleOptions {
            upgrades_enabled,
            ..CycleOptions::default()
        };
        Ok(self.colony.cycle(&options).await?)
    }

    /// Kills a node's process as an accident would, and says whether there was one.
    pub async fn kill(&self, node: &Node) -> Result<bool, ProgramError> {
        let pid = self.colony.process_of(node).await?;
        let Some(pid) = pid.and_then(|pid| i32::try_from(pid).ok()) else {
            return Ok(false);
        };
        let pid = nix::unistd::Pid::from_raw(pid);
        let killed = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        Ok(killed.is_ok())
    }

    /// Ends every node and deletes everything.
    pub async fn clear(mut self) -> Result<(), ProgramError> {
        let torn_down = self.colony.teardown(true).await;
        drop(self.colony);
        self.dir.close()?;
        torn_down?;
        Ok(())
    }
}

/// Settings that let a month of a colony's life pass in half a minute.
fn settings(dir: &Path, program: &Path) -> Result<Machine, ProgramError> {
    let [ports, metrics_ports, rpc_ports] = free_bases()?.map(|base| base.thousands().to_string());
    let program = program.display().to_string();
    let storage = dir.join("nodes").display().to_string();
    let cap = CAP.to_string();
    let given = [
        ("rewards_address", "faucet"),
        ("node_storage", storage.as_str()),
        ("antnode_path", program.as_str()),
        ("node_cap", cap.as_str()),
        ("port_start", ports.as_str()),
        ("metrics_port_start", metrics_ports.as_str()),
        ("rpc_port_start", rpc_ports.as_str()),
        ("delay_start", "1"),
        ("delay_restart", "2"),
        ("delay_upgrade", "1"),
        ("delay_remove", "2"),
        ("max_concurrent_starts", "2"),
        ("max_concurrent_upgrades", "2"),
        ("max_concurrent_operations", "2"),
    ];
    let facts = MachineFacts {
        cpu_count: 4,
        home: Some(dir.to_owned()),
        default_manager: wnm_setsid::USER,
    };
    let options = OptionTable::new(&managers::registry(None));
    let layers = Layers::new(options).command_line(given);
    Ok(layers.initial_machine(&facts)?)
}

/// Three ranges of which the first ports are free now.
fn free_bases() -> Result<[PortBase; 3], ProgramError> {
    let mut free = PORT_BASES
        .filter_map(|base| PortBase::from_number(i64::from(base)).ok())
        .filter(|base| (1..=CAP + 2).all(|n| NodeId::new(n).is_some_and(|id| is_free(*base, id))));
    match (free.next(), free.next(), free.next()) {
        (Some(a), Some(b), Some(c)) => Ok([a, b, c]),
        _ => Err(ProgramError::Usage(format!(
            "no free ports for a demonstration between {}000 and {}000",
            PORT_BASES.start, PORT_BASES.end
        ))),
    }
}

fn is_free(base: PortBase, id: NodeId) -> bool {
    base.port(id).is_ok_and(|port| {
        UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port.get())).is_ok()
            && TcpListener::bind((Ipv4Addr::LOCALHOST, port.get())).is_ok()
    })
}
