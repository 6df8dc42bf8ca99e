//! Init, cycles, an upgrade and a teardown of a colony whose database names `memory+user`.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use custom_manager::{MEMORY_USER, MemoryFactory, Supervisor};
use semver::Version;
use wnm_colony::{Colony, CycleOptions, Environment};
use wnm_core::command::CommandRunner;
use wnm_core::machine::Machine;
use wnm_core::program::NodeProgram;
use wnm_core::quantity::Seconds;
use wnm_core::registry::{ManagerRegistry, ProgramFactory, ProgramRegistry};
use wnm_core::wallet::{Address, RewardsAddress};
use wnm_testkit::{FakeMachine, FakeNodes, FakeProgram};

const NODES: usize = 3;

/// Makes a fake node program, whose version this example changes.
struct Fake;

#[async_trait]
impl ProgramFactory for Fake {
    fn name(&self) -> &'static str {
        "antnode"
    }

    fn build(&self, _: Arc<dyn CommandRunner>) -> Arc<dyn NodeProgram> {
        Arc::new(FakeProgram::default())
    }
}

fn environment(supervisor: &Supervisor, program: &Arc<FakeProgram>) -> Environment {
    let managers = ManagerRegistry::new().with(MemoryFactory(supervisor.clone()));
    Environment::system(managers, ProgramRegistry::new(Fake))
        .program(program.clone())
        .probe(Arc::new(FakeNodes::default()))
        .machine_probe(Arc::new(FakeMachine::default()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let db = dir.path().join("colony.db");
    let supervisor = Supervisor::default();
    let program = Arc::new(FakeProgram::default());

    let rewards = RewardsAddress::from(Address::FAUCET);
    let mut machine = Machine::new(MEMORY_USER, rewards)
        .with_node_storage(dir.path().join("nodes"))
        .with_antnode(dir.path().join("antnode"))
        .with_node_cap(u32::try_from(NODES)?);
    machine.delays.start = Seconds(0);
    machine.delays.upgrade = Seconds(0);
    machine.limits.starts = 10;
    machine.limits.upgrades = 10;
    machine.limits.operations = 10;
    Colony::init(&db, machine, environment(&supervisor, &program))
        .await?
        .close()
        .await?;

    // The database names the manager; whoever opens it builds the one registered by that name.
    let mut colony = Colony::open(&db, environment(&supervisor, &program)).await?;
    println!("opened a colony under {}", colony.machine().manager);
    let mut options = CycleOptions::default();
    while supervisor.services().len() < NODES {
        let report = colony.cycle(&options).await?;
        println!("{}: {} nodes", report.status.as_str(), report.nodes.len());
        if report.results.is_empty() {
            return Err("the colony does not grow".into());
        }
    }
    assert!(
        supervisor
            .services()
            .values()
            .all(|service| service.running)
    );

    let newer = Version::new(0, 4, 8);
    program.set_version(newer.clone());
    options.upgrades_enabled = true;
    for _ in 0..2 * NODES {
        let report = colony.cycle(&options).await?;
        println!("{}: {} steps", report.status.as_str(), report.results.len());
    }
    assert!(
        supervisor
            .services()
            .values()
            .all(|service| service.binary.version == newer)
    );

    let removed = colony.teardown(true).await?.removed;
    println!("torn down: {removed} nodes removed");
    assert_eq!(removed, NODES);
    assert!(supervisor.services().is_empty());
    Ok(())
}
