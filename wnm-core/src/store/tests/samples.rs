//! Things to store, and databases to open.

use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, DatabaseConnection};

use super::super::connection::{Way, connect};
use crate::firewall::FirewallChoice;
use crate::machine::{
    Band, ContainerSettings, Delays, FleetLimits, IoBands, Launch, Limits, Machine, Pacing,
    RemovalStrategy, Thresholds,
};
use crate::manager::ManagerKind;
use crate::node::{
    Actor, Desired, DesiredState, Node, NodeId, NodeMeasurements, Observed, ObservedState,
};
use crate::ports::PortBases;
use crate::quantity::{Load, Milliseconds, Percent, Seconds, UnixTime};

pub const FAUCET: &str = "0x00455d78f850b0358E8cea5be24d415E01E107CF";

/// Waited for in tests that meet a lock: the answer is certain at once.
pub const SHORT_WAIT: Seconds = Seconds(0);

pub fn id(number: u32) -> NodeId {
    NodeId::new(number).unwrap()
}

pub fn machine() -> Machine {
    let percent = |below, above| Band {
        add_below: Percent::whole(below),
        remove_above: Percent::whole(above),
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
        rewards: FAUCET.parse().unwrap(),
        donate_address: FAUCET.parse().unwrap(),
        ports: PortBases::default(),
        highest_id: None,
        last_stopped_at: Some(UnixTime(1_762_990_000)),
        host: "127.0.0.1".into(),
        crisis_bytes: 2_000_000_000,
        launch: Launch::default(),
        removal_strategy: RemovalStrategy::Youngest,
        manager: ManagerKind::SYSTEMD_USER,
        containers: ContainerSettings {
            max_nodes: 200,
            min_count: 1,
            image: Some("iweave/antnode:latest".into()),
        },
        antnode_path: "/srv/ant/bin/antnode".into(),
        antctl_path: "/srv/ant/bin/antctl".into(),
        antctl_debug: false,
        antctl_version: None,
        firewall: FirewallChoice::Auto,
        fleet: FleetLimits::default(),
    }
}

pub fn node(number: u32) -> Node {
    let id = id(number);
    let root_dir = PathBuf::from("/srv/ant/nodes").join(id.directory_name());
    let now = UnixTime(1_763_000_000);
    Node {
        id,
        manager: ManagerKind::SYSTEMD_USER,
        service: format!("{}.service", id.directory_name()),
        user: "ant".into(),
        binary: root_dir.join("antnode"),
        version: Some(semver::Version::new(0, 4, 16)),
        root_dir,
        log_dir: None,
        ports: PortBases::default().of(id).unwrap(),
        host: "127.0.0.1".into(),
        network: "evm-arbitrum-one".into(),
        wallet: Some(FAUCET.parse().unwrap()),
        peer_id: Some("12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE".into()),
        container: None,
        environment: None,
        desired: Desired {
            state: DesiredState::Running,
            by: Actor::Wnm,
            since: now,
        },
        observed: Observed {
            state: ObservedState::Running,
            at: now,
        },
        transition: None,
        measured: NodeMeasurements::default(),
        first_launch: UnixTime(1_762_000_000),
        status_since: now,
        last_start: None,
        failed_starts: 0,
        load_stops: 0,
    }
}

pub const PYTHON_VERSIONS: [&str; 4] = ["0.3.0", "0.4.7", "0.5.8", "0.6.3"];

/// A database as that version of the Python wnm left it.
pub async fn python_database(directory: &Path, version: &str) -> PathBuf {
    let dump = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures/python")
        .join(format!("colony-{version}.sql"));
    let path = directory.join("colony.db");
    sql(&path, &std::fs::read_to_string(dump).unwrap()).await;
    path
}

/// A connection past the store, as another program has it.
pub async fn other_program(path: &Path) -> DatabaseConnection {
    connect(path, Way::Create, SHORT_WAIT).await.unwrap()
}

/// Runs statements on the file, past the store.
pub async fn sql(path: &Path, statements: &str) {
    let db = other_program(path).await;
    db.execute_unprepared(statements).await.unwrap();
    db.close().await.unwrap();
}

/// One text that a query gives, past the store.
pub async fn ask(path: &Path, query: &str) -> String {
    let db = other_program(path).await;
    let row = db
        .query_one_raw(sea_orm::Statement::from_string(
            sea_orm::DbBackend::Sqlite,
            format!("SELECT CAST(({query}) AS TEXT) AS answer"),
        ))
        .await
        .unwrap()
        .unwrap();
    let answer: Option<String> = row.try_get_by("answer").unwrap();
    db.close().await.unwrap();
    answer.unwrap_or_else(|| "NULL".to_owned())
}

/// Names of the files in a directory, sorted.
pub fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
