//! What a manager is built from, and the records of nodes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wnm_core::machine::{
    Band, ContainerSettings, Delays, IoBands, Launch, Limits, Machine, Pacing, RemovalStrategy,
    Thresholds,
};
use wnm_core::manager::{CommandRunner, ManagerContext, ManagerKind, NoFirewall, Paths};
use wnm_core::node::{
    Actor, Desired, DesiredState, Node, NodeId, NodeMeasurements, Observed, ObservedState,
};
use wnm_core::ports::PortBases;
use wnm_core::program::Antnode;
use wnm_core::quantity::{Load, Milliseconds, Percent, Seconds, UnixTime};

/// The record of node `number` as the executor makes it before it adds the node.
pub fn node(context: &ManagerContext, number: u32) -> Node {
    let id = NodeId::new(number).unwrap();
    let paths = &context.paths;
    let root_dir = paths.node_dir(id);
    Node {
        id,
        manager: context.machine.manager,
        service: format!("{}.service", id.directory_name()),
        user: "nobody".to_owned(),
        binary: root_dir.join("antnode"),
        version: None,
        log_dir: Some(paths.log_dir(id)),
        root_dir,
        ports: context.machine.ports.of(id).unwrap(),
        host: "127.0.0.1".to_owned(),
        network: "evm-arbitrum-one".to_owned(),
        wallet: Some(wnm_core::wallet::Address::FAUCET),
        peer_id: None,
        container: None,
        environment: None,
        desired: Desired {
            state: DesiredState::Running,
            by: Actor::Wnm,
            since: UnixTime(0),
        },
        observed: Observed {
            state: ObservedState::Stopped,
            at: UnixTime(0),
        },
        transition: None,
        measured: NodeMeasurements::default(),
        first_launch: UnixTime(0),
        status_since: UnixTime(0),
        last_start: None,
        failed_starts: 0,
        load_stops: 0,
    }
}

/// Everything below `dir`.
pub fn context(dir: &Path, kind: ManagerKind, runner: Arc<dyn CommandRunner>) -> ManagerContext {
    let state = dir.join("state");
    let paths = Paths {
        node_storage: state.join("nodes"),
        logs: state.join("logs"),
        bootstrap_cache: state.join("cache"),
        state,
    };
    ManagerContext {
        program: Arc::new(Antnode::new(runner.clone())),
        runner,
        firewall: Arc::new(NoFirewall),
        machine: machine(kind, &paths.node_storage),
        paths,
        launch: Launch::default(),
        owner: "nobody".to_owned(),
    }
}

fn machine(kind: ManagerKind, node_storage: &Path) -> Machine {
    let percent = Band {
        add_below: Percent::whole(50),
        remove_above: Percent::whole(70),
    };
    let load = Band {
        add_below: Load::default(),
        remove_above: Load::default(),
    };
    let none = Seconds(0);
    Machine {
        firewall: wnm_core::firewall::FirewallChoice::None,
        fleet: wnm_core::machine::FleetLimits::default(),
        cpu_count: 2,
        node_cap: 20,
        thresholds: Thresholds {
            cpu: percent,
            memory: percent,
            disk: percent,
            disk_io: IoBands::OFF,
            net_io: IoBands::OFF,
            load,
        },
        delays: Delays {
            start: none,
            restart: none,
            upgrade: none,
            remove: none,
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
        node_storage: node_storage.to_owned(),
        rewards: "faucet".parse().unwrap(),
        donate_address: wnm_core::wallet::Address::FAUCET,
        ports: PortBases::default(),
        highest_id: None,
        last_stopped_at: None,
        host: "127.0.0.1".to_owned(),
        crisis_bytes: 0,
        launch: Launch::default(),
        removal_strategy: RemovalStrategy::Youngest,
        manager: kind,
        containers: ContainerSettings {
            max_nodes: 200,
            min_count: 1,
            image: None,
        },
        antnode_path: PathBuf::from("/bin/true"),
        antctl_path: PathBuf::new(),
        antctl_debug: false,
        antctl_version: None,
    }
}
