//! The rows of `tests/fixtures/python/colony-0.6.3.sql`, which the recorded reports were made from.

use crate::firewall::FirewallChoice;
use crate::ids::IdPolicy;
use crate::machine::{
    Band, ContainerSettings, Delays, FleetLimits, IoBands, Launch, Limits, Machine, Pacing,
};
use crate::machine::{IoRates, LoadAverages, MachineLoad, RemovalStrategy, Thresholds};
use crate::manager::{LanePolicy, ManagerKind, ManagerPolicy};
use crate::node::{
    Actor, Desired, DesiredState, Node, NodeId, NodeMeasurements, Observed, ObservedState,
};
use crate::observe::{SNAPSHOT_FORMAT, Snapshot, SupervisorState};
use crate::ports::PortBases;
use crate::program::NodeBinary;
use crate::quantity::{ByteRate, Load, Milliseconds, Percent, Seconds, UnixTime};
use crate::wallet::Address;

/// A report as the Python wnm 0.6.3 printed it.
macro_rules! recorded {
    ($file:literal) => {
        include_str!(concat!(
            "../../../tests/fixtures/python/report-0.6.3/",
            $file
        ))
    };
}
pub(super) use recorded;

pub(super) fn refs(nodes: &[Node]) -> Vec<&Node> {
    nodes.iter().collect()
}

pub(super) fn nodes() -> Vec<Node> {
    let first = NodeMeasurements {
        records: 1843,
        uptime: 86_400,
        shunned: 3,
        connected_peers: 217,
        gets: 0,
        puts: 5121,
        memory_mb: 97.81,
        cpu_percent: 0.04,
        open_connections: 64,
        total_peers: 251,
        bad_peers: 7,
        relevant_records: 412,
        max_records: 16_384,
        rewards: Some("12345678901234567890".to_owned()),
        payment_count: 9,
        live_time: 1_000_000,
        network_size: 2_064_384,
    };
    let second = NodeMeasurements {
        puts: 87,
        memory_mb: 88.5,
        cpu_percent: 1.12,
        open_connections: 12,
        total_peers: 198,
        bad_peers: 1,
        relevant_records: 97,
        max_records: 16_384,
        rewards: Some("0".to_owned()),
        payment_count: 1,
        live_time: 640_000,
        network_size: 1_998_848,
        ..NodeMeasurements::default()
    };
    let mut one = node(1, 1_762_000_000, 1_763_000_000);
    one.peer_id = Some("12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE".to_owned());
    one.measured = first;
    let mut two = node(2, 1_762_100_000, 1_762_996_400);
    two.peer_id = Some("12D3KooWSmoHNBrzeEPbPaYJRGgBHBSSUcA1Ns3DvLk2YWPJxU3r".to_owned());
    two.measured = second;
    two.desired.state = DesiredState::Stopped;
    two.observed.state = ObservedState::Stopped;
    let mut four = node(4, 1_762_200_000, 1_762_300_000);
    four.version = "0.4.7".parse().ok();
    four.desired.state = DesiredState::Disabled;
    four.observed.state = ObservedState::Stopped;
    vec![one, two, four]
}

pub(super) fn node(id: u32, first_launch: i64, since: i64) -> Node {
    let id = NodeId::new(id).unwrap();
    let root_dir = std::path::Path::new("/srv/ant/nodes").join(id.directory_name());
    Node {
        id,
        manager: ManagerKind::SYSTEMD_USER,
        service: format!("{}.service", id.directory_name()),
        user: "ant".to_owned(),
        binary: root_dir.join("antnode"),
        version: "0.4.16".parse().ok(),
        root_dir,
        log_dir: None,
        ports: PortBases::default().of(id).unwrap(),
        host: "127.0.0.1".to_owned(),
        network: "evm-arbitrum-one".to_owned(),
        wallet: Some(Address::FAUCET),
        peer_id: None,
        container: None,
        environment: None,
        desired: Desired {
            state: DesiredState::Running,
            by: Actor::Found,
            since: UnixTime(since),
        },
        observed: Observed {
            state: ObservedState::Running,
            at: UnixTime(since),
        },
        transition: None,
        measured: NodeMeasurements::default(),
        first_launch: UnixTime(first_launch),
        status_since: UnixTime(since),
        last_start: None,
        failed_starts: 0,
        load_stops: 0,
    }
}

pub(super) fn machine() -> Machine {
    let percent = |add_below, remove_above| Band {
        add_below: Percent::whole(add_below),
        remove_above: Percent::whole(remove_above),
    };
    Machine {
        cpu_count: 4,
        node_cap: 20,
        thresholds: Thresholds {
            cpu: percent(50, 70),
            memory: percent(60, 75),
            disk: percent(75, 90),
            disk_io: IoBands::OFF,
            net_io: IoBands::OFF,
            load: Band {
                add_below: Load::new(2.4).unwrap(),
                remove_above: Load::new(4.0).unwrap(),
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
        node_storage: "/srv/ant/nodes".into(),
        rewards: Address::FAUCET.to_string().parse().unwrap(),
        donate_address: Address::FAUCET,
        ports: PortBases::default(),
        highest_id: None,
        last_stopped_at: Some(UnixTime(1_762_990_000)),
        host: "127.0.0.1".to_owned(),
        crisis_bytes: 2_000_000_000,
        launch: Launch::default(),
        removal_strategy: RemovalStrategy::Youngest,
        manager: ManagerKind::SYSTEMD_USER,
        containers: ContainerSettings {
            max_nodes: 200,
            min_count: 1,
            image: Some("iweave/antnode:latest".to_owned()),
        },
        antnode_path: "/srv/ant/bin/antnode".into(),
        antctl_path: "/srv/ant/bin/antctl".into(),
        antctl_debug: false,
        antctl_version: None,
        firewall: FirewallChoice::Auto,
        fleet: FleetLimits::default(),
    }
}

/// The load that `machine-metrics.json` was recorded under.
pub(super) fn load() -> MachineLoad {
    MachineLoad {
        at: UnixTime(1_795_215_700),
        span: Seconds(60),
        cpu: Percent::new(74.2).unwrap(),
        io_wait: Percent::whole(0),
        memory: Percent::new(4.2).unwrap(),
        disk: Percent::new(15.5).unwrap(),
        disk_total: 270_553_174_016,
        disk_io: IoRates {
            read: ByteRate(571_841),
            write: ByteRate(5_595_878),
        },
        net_io: IoRates::default(),
        load: LoadAverages {
            one: Load::new(2.347_656_25).unwrap(),
            five: Load::new(1.520_507_812_5).unwrap(),
            fifteen: Load::new(0.675_781_25).unwrap(),
        },
        boot_time: UnixTime(1_795_215_333),
    }
}

pub(super) fn snapshot() -> Snapshot {
    Snapshot {
        format: SNAPSHOT_FORMAT,
        taken_at: UnixTime(1_795_215_700),
        machine: machine(),
        load: load(),
        rebooted: false,
        supervisor: SupervisorState::Answering,
        policy: ManagerPolicy {
            ids: IdPolicy::FillHoles,
            lanes: LanePolicy::PerNode,
            restarts_crashed: true,
        },
        binary: Ok(NodeBinary {
            path: "/srv/ant/bin/antnode".into(),
            version: "0.4.16".parse().unwrap(),
        }),
        upgrades_enabled: false,
        blocked_ids: vec![],
        nodes: nodes(),
    }
}
