//! Builders of nodes and snapshots for tests, also those of crates that embed this one.
// A fault in a builder is a fault in a test, and should end it where it happens.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use semver::Version;

use crate::id::NodeId;
use crate::kind::ManagerKind;
use crate::machine::FirewallChoice;
use crate::machine::{
    Band, Delays, IoBands, Launch, Limits, LoadAverages, Machine, MachineLoad, MachineState,
    ManagerSettings, Pacing, RemovalStrategy, Thresholds,
};
use crate::manager::{FoundNode, LanePolicy, ManagerPolicy};
use crate::node::{
    Actor, Desired, DesiredState, LifecycleRecord, LifecycleState, Node, NodeMeasurements,
    Observed, ObservedState, ProcessState, Transition, TransitionKind,
};
use crate::numbering::IdPolicy;
use crate::ports::{NodePorts, Port, PortBases};
use crate::program::NodeBinary;
use crate::quantity::{Load, Milliseconds, Percent, Seconds, UnixTime};
use crate::snapshot::{SNAPSHOT_FORMAT, Snapshot, SupervisorState};
use crate::wallet::Address;

/// The time at which everything here was seen.
pub const NOW: UnixTime = UnixTime(1_780_000_000);

/// The manager of everything here.
pub const MANAGER: ManagerKind = ManagerKind::from_static("memory+user");

/// A number.
pub fn id(number: u32) -> NodeId {
    NodeId::new(number).unwrap()
}

/// A number of percent.
pub fn percent(value: f64) -> Percent {
    Percent::new(value).unwrap()
}

/// A load average.
pub fn load(value: f64) -> Load {
    Load::new(value).unwrap()
}

/// Node `number`: wanted running by wnm and running for two days, nothing under way, of the version that
/// [`snapshot`] has a binary of. A higher number is a younger node.
pub fn node(number: u32) -> Node {
    let id = id(number);
    let up = UnixTime(NOW.0 - 2 * 86_400);
    let name = id.directory_name();
    Node {
        id,
        manager: MANAGER,
        service: format!("{name}.service"),
        user: "ant".to_owned(),
        binary: PathBuf::from(format!("/srv/ant/{name}/antnode")),
        version: Some(Version::new(0, 4, 7)),
        root_dir: PathBuf::from(format!("/srv/ant/{name}")),
        log_dir: None,
        // Nodes beyond the last port share those of the first: nothing here listens.
        ports: PortBases::default()
            .of(id)
            .unwrap_or(PortBases::default().of(NodeId::FIRST).unwrap()),
        host: "127.0.0.1".to_owned(),
        network: "evm-arbitrum-one".to_owned(),
        wallet: Some(Address::FAUCET),
        peer_id: None,
        container: None,
        environment: None,
        lifecycle: LifecycleState::from_record(LifecycleRecord {
            desired: Desired {
                state: DesiredState::Running,
                by: Actor::Wnm,
                since: up,
            },
            observed: Observed {
                state: ObservedState::Running,
                at: NOW,
            },
            transition: None,
            status_since: up,
            last_start: Some(up),
            failed_starts: 0,
            load_stops: 0,
        }),
        measured: NodeMeasurements::default(),
        first_launch: UnixTime(1_700_000_000 + i64::from(number) * 3600),
    }
}

/// Puts a node into a state, whatever led to it.
pub fn edit(node: &mut Node, change: impl FnOnce(&mut LifecycleRecord)) {
    let mut record = node.lifecycle.record();
    change(&mut record);
    node.lifecycle = LifecycleState::from_record(record);
}

/// Node `number`, wanted stopped by `by` for a day, and stopped.
pub fn stopped(number: u32, by: Actor) -> Node {
    let mut node = node(number);
    edit(&mut node, |n| {
        n.desired = Desired {
            state: DesiredState::Stopped,
            by,
            since: UnixTime(NOW.0 - 86_400),
        }
    });
    edit(&mut node, |n| n.observed.state = ObservedState::Stopped);
    edit(&mut node, |n| n.load_stops = u32::from(by == Actor::Wnm));
    node
}

/// Node `number`, wanted running and seen otherwise.
pub fn seen(number: u32, state: ObservedState) -> Node {
    let mut node = node(number);
    edit(&mut node, |n| n.observed.state = state);
    node
}

/// A step that began some time before [`NOW`].
pub fn under_way(kind: TransitionKind, acted: bool, ago: Seconds) -> Transition {
    Transition {
        kind,
        since: UnixTime(NOW.0.saturating_sub_unsigned(ago.0)),
        acted,
    }
}

/// A machine of four processors with the default settings.
pub fn machine() -> Machine {
    let band = |add_below, remove_above| Band {
        add_below: Percent::whole(add_below),
        remove_above: Percent::whole(remove_above),
    };
    Machine {
        cpu_count: 4,
        node_cap: 20,
        thresholds: Thresholds {
            cpu: band(50, 70),
            memory: band(60, 75),
            disk: band(75, 90),
            disk_io: IoBands::OFF,
            net_io: IoBands::OFF,
            load: Band {
                add_below: load(2.4),
                remove_above: load(4.0),
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
        node_storage: PathBuf::from("/srv/ant"),
        rewards: "faucet".parse().unwrap(),
        donate_address: Address::FAUCET,
        ports: PortBases::default(),
        host: "127.0.0.1".to_owned(),
        crisis_bytes: 2_000_000_000,
        launch: Launch::default(),
        removal_strategy: RemovalStrategy::Youngest,
        manager: MANAGER,
        manager_settings: ManagerSettings::default(),
        antnode_path: PathBuf::from("/usr/local/bin/antnode"),
        firewall: FirewallChoice::Auto,
    }
}

/// A machine without nodes and with little to do, its supervisor answering, a binary at hand.
pub fn snapshot() -> Snapshot {
    Snapshot {
        format: SNAPSHOT_FORMAT,
        taken_at: NOW,
        machine: machine(),
        state: MachineState::default(),
        load: MachineLoad {
            at: NOW,
            span: Seconds(60),
            cpu: percent(10.0),
            io_wait: percent(0.0),
            memory: percent(20.0),
            disk: percent(30.0),
            disk_total: 1_000_000_000_000,
            load: LoadAverages {
                one: load(0.5),
                five: load(0.5),
                fifteen: load(0.5),
            },
            boot_time: UnixTime(NOW.0 - 30 * 86_400),
            ..MachineLoad::default()
        },
        rebooted: false,
        supervisor: SupervisorState::Answering,
        policy: ManagerPolicy {
            ids: IdPolicy::FillHoles,
            lanes: LanePolicy::PerNode,
            restarts_crashed: false,
            ..ManagerPolicy::default()
        },
        binary: Ok(NodeBinary {
            path: PathBuf::from("/usr/local/bin/antnode"),
            version: Version::new(0, 4, 7),
        }),
        upgrades_enabled: false,
        blocked_ids: Vec::new(),
        containers: Vec::new(),
        nodes: Vec::new(),
    }
}

/// The same with nodes.
pub fn snapshot_of(nodes: impl IntoIterator<Item = Node>) -> Snapshot {
    Snapshot {
        nodes: nodes.into_iter().collect(),
        ..snapshot()
    }
}

/// Node `id`, which runs and has `port`.
pub fn found(id: u32, port: u16) -> FoundNode {
    let name = format!("antnode{id:04}");
    FoundNode {
        id: NodeId::new(id),
        service: format!("{name}.service"),
        user: "ant".to_owned(),
        binary: format!("/n/{name}/antnode").into(),
        root_dir: format!("/n/{name}").into(),
        log_dir: None,
        ports: NodePorts {
            node: Port::new(port).unwrap(),
            metrics: u16::try_from(13_000 + id).ok().and_then(Port::new),
            rpc: None,
        },
        network: None,
        wallet: Some(Address::FAUCET),
        state: ProcessState::Running { pid: None },
    }
}
