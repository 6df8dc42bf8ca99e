//! Creates a colony of three plain processes, grows it, watches it heal, and tears it down.
//!
//! The nodes are real processes of a simulated node program: a stamped copy of this program.

use std::error::Error;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use wnm_colony::store::EventQuery;
use wnm_colony::{Colony, CycleOptions, Environment};
use wnm_core::firewall::NoFirewall;
use wnm_core::machine::Machine;
use wnm_core::node::ObservedState;
use wnm_core::ports::{PortBase, PortBases};
use wnm_core::quantity::{Percent, Seconds};
use wnm_core::registry::{ManagerRegistry, ProgramRegistry};
use wnm_core::wallet::{Address, RewardsAddress};
use wnm_programs::AntnodeFactory;
use wnm_setsid::SetsidFactory;

const NODES: u32 = 3;

fn main() -> ExitCode {
    if let Some(version) = wnm_simnode::stamped_version() {
        return wnm_simnode::run(std::env::args_os(), &version);
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let program = dir.path().join("antnode");
    wnm_simnode::stamp(&std::env::current_exe()?, &program, "0.4.17")?;

    let environment = Environment::system(
        ManagerRegistry::new().with(SetsidFactory),
        ProgramRegistry::new(AntnodeFactory),
    )
    .firewall(Arc::new(NoFirewall))
    .home(Some(dir.path().to_owned()));

    let db = dir.path().join("colony.db");
    let mut colony = Colony::init(&db, settings(dir.path(), &program)?, environment).await?;
    let done = live(&mut colony).await;
    let torn_down = colony.teardown(true).await?;
    println!("torn down: {} nodes removed", torn_down.removed);
    done
}

/// Grows the colony, then says how it stands.
async fn live(colony: &mut Colony) -> Result<(), Box<dyn Error>> {
    for cycle in 1..=2 * NODES {
        let report = colony.cycle(&CycleOptions::default()).await?;
        println!("cycle {cycle}: {}", report.status.as_str());
        for result in &report.results {
            let step = &result.step;
            println!("  {} node {}: {}", step.act.word(), step.node, step.reason);
            if let Some(error) = &result.error {
                println!("    {error}");
            }
        }
        let running = report
            .nodes
            .iter()
            .filter(|node| node.observed().state == ObservedState::Running);
        if running.count() == NODES as usize {
            break;
        }
    }
    let nodes = colony.nodes().await?;
    if nodes.len() != NODES as usize {
        return Err(format!("{} nodes, expected {NODES}", nodes.len()).into());
    }
    let query = EventQuery {
        since: None,
        node: None,
        after: None,
        limit: 100,
    };
    for event in colony.events(&query).await? {
        println!("{}: {} {}", event.at, event.kind.action(), event.reason);
    }
    Ok(())
}

/// Settings in a directory of their own. No threshold holds anything back, and nothing waits.
fn settings(dir: &Path, program: &Path) -> Result<Machine, Box<dyn Error>> {
    let rewards = RewardsAddress::from(Address::FAUCET);
    let mut machine = Machine::new(wnm_setsid::USER, rewards)
        .with_node_storage(dir.join("nodes"))
        .with_antnode(program)
        .with_node_cap(NODES)
        .with_ports(free_ports()?);
    let off = Percent::new(101.0).ok_or("101 is a percentage")?;
    for band in [
        &mut machine.thresholds.cpu,
        &mut machine.thresholds.memory,
        &mut machine.thresholds.disk,
    ] {
        band.add_below = off;
        band.remove_above = Percent::new(102.0).ok_or("102 is a percentage")?;
    }
    machine = machine.with_cpu_count(10_000);
    machine.delays.start = Seconds(0);
    machine.limits.starts = NODES;
    machine.limits.operations = NODES;
    Ok(machine)
}

/// Three port ranges whose first ports are free.
fn free_ports() -> Result<PortBases, Box<dyn Error>> {
    let is_free = |base: &PortBase| {
        (1..=NODES).all(|node| {
            let number = u16::try_from(u32::from(base.thousands()) * 1000 + node).unwrap_or(0);
            UdpSocket::bind((Ipv4Addr::UNSPECIFIED, number)).is_ok()
                && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok()
        })
    };
    let mut free = (10..32)
        .filter_map(|base| PortBase::from_number(base).ok())
        .filter(is_free);
    match (free.next(), free.next(), free.next()) {
        (Some(node), Some(metrics), Some(rpc)) => Ok(PortBases { node, metrics, rpc }),
        _ => Err("no free ports between 10000 and 32000".into()),
    }
}
