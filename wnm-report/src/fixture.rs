//! The nodes and settings in `python/colony-0.6.3.sql` of wnm-fixtures. The recorded reports come
//! from that database.

use wnm_core::kind::ManagerKind;
use wnm_core::machine::{IoRates, LoadAverages, Machine, MachineLoad, MachineState};
use wnm_core::manager::{LanePolicy, ManagerPolicy};
use wnm_core::node::{Actor, Desired, DesiredState, Node, NodeMeasurements, ObservedState};
use wnm_core::numbering::IdPolicy;
use wnm_core::program::NodeBinary;
use wnm_core::quantity::{ByteRate, Load, Percent, Seconds, UnixTime};
use wnm_core::snapshot::{SNAPSHOT_FORMAT, Snapshot, SupervisorState};
use wnm_core::testing;
use wnm_core::wallet::Address;

/// A report as the Python wnm 0.6.3 printed it.
macro_rules! recorded {
    ($file:literal) => {
        $crate::fixture::read_recorded($file)
    };
}
pub(super) use recorded;

pub(crate) fn read_recorded(file: &str) -> &'static str {
    let path = wnm_fixtures::fixture(&format!("python/report-0.6.3/{file}"));
    String::leak(std::fs::read_to_string(path).unwrap())
}

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
    testing::edit(&mut two, |n| n.desired.state = DesiredState::Stopped);
    testing::edit(&mut two, |n| n.observed.state = ObservedState::Stopped);
    let mut four = node(4, 1_762_200_000, 1_762_300_000);
    four.version = "0.4.7".parse().ok();
    testing::edit(&mut four, |n| n.desired.state = DesiredState::Disabled);
    testing::edit(&mut four, |n| n.observed.state = ObservedState::Stopped);
    vec![one, two, four]
}

pub(super) fn node(number: u32, first_launch: i64, since: i64) -> Node {
    let node = testing::node(number);
    let root_dir = std::path::Path::new("/srv/ant/nodes").join(node.id.directory_name());
    let mut node = Node {
        manager: ManagerKind::from_static("systemd+user"),
        binary: root_dir.join("antnode"),
        version: "0.4.16".parse().ok(),
        root_dir,
        first_launch: UnixTime(first_launch),
        ..node
    };
    testing::edit(&mut node, |n| {
        n.desired = Desired {
            state: DesiredState::Running,
            by: Actor::Found,
            since: UnixTime(since),
        };
        n.observed.at = UnixTime(since);
        n.status_since = UnixTime(since);
        n.last_start = None;
    });
    node
}

pub(super) fn machine() -> Machine {
    Machine {
        node_storage: "/srv/ant/nodes".into(),
        rewards: Address::FAUCET.to_string().parse().unwrap(),
        manager: ManagerKind::from_static("systemd+user"),
        antnode_path: "/srv/ant/bin/antnode".into(),
        ..testing::machine()
    }
}

/// The load at the time of the recorded `machine-metrics.json`.
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
        state: MachineState::default(),
        load: load(),
        rebooted: false,
        supervisor: SupervisorState::Answering,
        policy: ManagerPolicy {
            ids: IdPolicy::FillHoles,
            lanes: LanePolicy::PerNode,
            restarts_crashed: true,
            ..ManagerPolicy::default()
        },
        binary: Ok(NodeBinary {
            path: "/srv/ant/bin/antnode".into(),
            version: "0.4.16".parse().unwrap(),
        }),
        upgrades_enabled: false,
        blocked_ids: vec![],
        containers: vec![],
        nodes: nodes(),
    }
}
