use std::path::PathBuf;

use wnm_core::container::ContainerNetwork;
use wnm_core::kind::ManagerKind;
use wnm_core::machine::FirewallChoice;
use wnm_core::machine::{
    Band, ContainerSettings, Delays, FleetLimits, IoBands, Launch, Limits, Machine, Pacing,
    RemovalStrategy, Thresholds,
};
use wnm_core::paths::Paths;
use wnm_core::ports::PortBases;
use wnm_core::quantity::{Load, Milliseconds, Percent, Seconds};
use wnm_core::wallet::{Address, RewardsAddress};

/// Where the node program and antctl are installed by default, below the home directory.
const PROGRAMS: &str = ".local/bin";

/// Image of the containers, as the Python wnm has it.
const DOCKER_IMAGE: &str = "iweave/antnode:latest";

/// What the defaults of a new colony rest on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineFacts {
    /// Processors that may be used.
    pub cpu_count: u32,
    /// The caller's home directory. Without one, paths have no defaults in user mode.
    pub home: Option<PathBuf>,
    /// Who runs the nodes when nothing is said.
    pub default_manager: ManagerKind,
}

/// What holds when nothing is said. Paths without a home directory to be below are empty.
pub(super) fn defaults(
    facts: &MachineFacts,
    manager: ManagerKind,
    rewards: RewardsAddress,
) -> Machine {
    let cpus = f64::from(facts.cpu_count);
    let percent = |add: u8, remove: u8| Band {
        add_below: Percent::whole(add),
        remove_above: Percent::whole(remove),
    };
    let program = |name: &str| {
        let home = facts.home.as_ref();
        home.map_or_else(PathBuf::new, |home| home.join(PROGRAMS).join(name))
    };
    Machine {
        cpu_count: facts.cpu_count,
        node_cap: 20,
        thresholds: Thresholds {
            cpu: percent(50, 70),
            memory: percent(60, 75),
            disk: percent(75, 90),
            disk_io: IoBands::OFF,
            net_io: IoBands::OFF,
            load: Band {
                add_below: Load::new(cpus * 0.6).unwrap_or_default(),
                remove_above: Load::new(cpus).unwrap_or_default(),
            },
        },
        delays: Delays {
            start: Seconds(300),
            restart: Seconds(600),
            upgrade: Seconds(300),
            remove: Seconds(300),
        },
        limits: Limits {
            upgrades: 1,
            starts: 1,
            removals: 1,
            operations: 1,
        },
        pacing: Pacing {
            survey: Milliseconds(0),
            action: Milliseconds(0),
        },
        node_storage: Paths::for_mode(manager.mode(), facts.home.as_deref())
            .map(|paths| paths.node_storage)
            .unwrap_or_default(),
        rewards,
        donate_address: Address::FAUCET,
        ports: PortBases::default(),
        highest_id: None,
        last_stopped_at: None,
        host: "127.0.0.1".to_owned(),
        crisis_bytes: 2_000_000_000,
        launch: Launch::default(),
        removal_strategy: RemovalStrategy::Youngest,
        manager,
        containers: ContainerSettings {
            max_nodes: 200,
            min_count: 1,
            image: Some(DOCKER_IMAGE.to_owned()),
            network: ContainerNetwork::Host,
        },
        antnode_path: program("antnode"),
        antctl_path: program("antctl"),
        antctl_debug: false,
        antctl_version: None,
        firewall: FirewallChoice::Auto,
        fleet: FleetLimits::default(),
    }
}
