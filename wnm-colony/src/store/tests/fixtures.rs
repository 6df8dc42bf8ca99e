//! Databases that released versions of the Python wnm created.

use insta::assert_snapshot;
use semver::Version;

use super::samples::{PYTHON_VERSIONS, files, id, machine, node, python_database, query, sql};
use crate::store::{Access, Changes, Store};
use wnm_core::kind::ManagerKind;
use wnm_core::machine::{Machine, MachineState};
use wnm_core::node::{Actor, LifecycleRecord, LifecycleState, Node, NodeMeasurements, Status};
use wnm_core::quantity::UnixTime;

/// The nodes that every one of these databases holds.
fn nodes_of(manager: ManagerKind) -> [Node; 3] {
    let common = |number| {
        let mut node = node(number);
        node.manager = manager.clone();
        wnm_core::testing::edit(&mut node, |n| n.desired.by = Actor::Found);
        node.measured.rewards = Some("0".into());
        node
    };
    let mut running = common(1);
    running.measured = NodeMeasurements {
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
        rewards: Some("12345678901234567890".into()),
        payment_count: 9,
        live_time: 1_000_000,
        network_size: 2_064_384,
    };
    let mut stopped = common(2);
    stopped.lifecycle = found(Status::Stopped, UnixTime(1_762_996_400));
    stopped.peer_id = Some("12D3KooWSmoHNBrzeEPbPaYJRGgBHBSSUcA1Ns3DvLk2YWPJxU3r".into());
    stopped.first_launch = UnixTime(1_762_100_000);
    stopped.measured = NodeMeasurements {
        puts: 87,
        memory_mb: 88.5,
        cpu_percent: 1.12,
        open_connections: 12,
        total_peers: 198,
        bad_peers: 1,
        relevant_records: 97,
        max_records: 16_384,
        rewards: Some("0".into()),
        payment_count: 1,
        live_time: 640_000,
        network_size: 1_998_848,
        ..NodeMeasurements::default()
    };
    let mut disabled = common(4);
    disabled.lifecycle = found(Status::Disabled, UnixTime(1_762_300_000));
    disabled.version = Some(Version::new(0, 4, 7));
    disabled.peer_id = None;
    disabled.first_launch = UnixTime(1_762_200_000);
    [running, stopped, disabled]
}

fn found(status: Status, since: UnixTime) -> LifecycleState {
    LifecycleState::from_record(LifecycleRecord::from_status(status, since))
}

fn machine_of(version: &str) -> Machine {
    let mut machine = machine();
    match version {
        "0.4.7" => machine.manager = ManagerKind::from_static("setsid+user"),
        // This version lacks the columns. The Python migrations give these values.
        "0.3.0" => {
            let path = "~/.local/bin/antctl".into();
            machine.manager_settings.set("antctl_path", path);
        }
        _ => {}
    }
    machine
}

fn state_of(version: &str) -> MachineState {
    MachineState {
        // Older than the column; the value is what the Python migration gives.
        highest_id: (version == "0.3.0").then(|| id(4)),
        last_stopped_at: Some(UnixTime(1_762_990_000)),
    }
}

#[tokio::test]
async fn every_database_reads_completely_with_both_kinds_of_access() {
    for version in PYTHON_VERSIONS {
        for access in [Access::View, Access::ReadWrite] {
            let directory = tempfile::tempdir().unwrap();
            let path = python_database(directory.path(), version).await;
            let store = Store::open(&path, access).await.unwrap();
            let machine = store.machine().await.unwrap().unwrap();
            assert_eq!(machine, machine_of(version), "{version}");
            let state = store.machine_state().await.unwrap();
            assert_eq!(state, state_of(version), "{version}");
            let nodes = store.nodes().await.unwrap();
            assert_eq!(nodes, nodes_of(machine.manager), "{version}");
            let words: Vec<Status> = nodes.iter().map(Node::status).collect();
            assert_eq!(words, [Status::Running, Status::Stopped, Status::Disabled]);
            store.close().await.unwrap();
        }
    }
}

/// A query for the Python columns of all rows, as one text.
const PYTHON_VALUES: &str = "SELECT group_concat(line, char(10)) FROM (SELECT concat_ws('|', id, machine_id, \
    container_id, manager_type, node_name, service, user, binary, version, root_dir, log_dir, port, \
    metrics_port, rpc_port, network, wallet, coalesce(peer_id, ''), status, timestamp, records, uptime, shunned, \
    connected_peers, gets, puts, mem, cpu, open_connections, total_peers, bad_peers, rel_records, \
    max_records, rewards, payment_count, live_time, network_size, age, host, method, layout, environment) \
    AS line FROM node ORDER BY id)";

#[tokio::test]
async fn recording_loaded_nodes_changes_no_value_of_the_python_columns() {
    for version in PYTHON_VERSIONS {
        let directory = tempfile::tempdir().unwrap();
        let path = python_database(directory.path(), version).await;
        let before = query(&path, PYTHON_VALUES).await;
        let store = Store::open(&path, Access::ReadWrite).await.unwrap();
        let changes = Changes {
            machine: store.machine().await.unwrap(),
            nodes: store.nodes().await.unwrap(),
            ..Changes::default()
        };
        store.record(&changes).await.unwrap();
        assert_eq!(store.nodes().await.unwrap(), changes.nodes);
        assert_eq!(store.machine().await.unwrap(), changes.machine);
        store.close().await.unwrap();
        assert_eq!(query(&path, PYTHON_VALUES).await, before, "{version}");
    }
}

#[tokio::test]
async fn a_migration_keeps_one_copy_of_the_state_before() {
    for version in PYTHON_VERSIONS {
        let directory = tempfile::tempdir().unwrap();
        let path = python_database(directory.path(), version).await;
        for _ in 0..2 {
            let store = Store::open(&path, Access::ReadWrite).await.unwrap();
            store.close().await.unwrap();
        }
        let names = files(directory.path());
        let [_, backup] = names.as_slice() else {
            panic!("{version}: {names:?}");
        };
        assert!(backup.starts_with("colony.db.backup-1"), "{backup}");
        let backup = directory.path().join(backup);
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'wnm_%'";
        assert_eq!(query(&backup, tables).await, "0");
        assert_eq!(
            query(&backup, PYTHON_VALUES).await,
            query(&path, PYTHON_VALUES).await
        );
    }
}

#[tokio::test]
async fn a_copy_never_overwrites_another() {
    let directory = tempfile::tempdir().unwrap();
    let path = python_database(directory.path(), "0.6.3").await;
    let db = super::samples::other_program(&path).await;
    let mut copies = Vec::new();
    for _ in 0..3 {
        let now = UnixTime(1_763_000_000);
        let copy = super::super::backup::back_up(&db, &path, now)
            .await
            .unwrap();
        copies.push(copy.extension().unwrap().to_str().unwrap().to_owned());
    }
    db.close().await.unwrap();
    assert_eq!(
        copies,
        [
            "backup-1763000000",
            "backup-1763000001",
            "backup-1763000002"
        ]
    );
}

#[tokio::test]
async fn the_python_program_finds_its_columns_and_revision() {
    let mut schemas = Vec::new();
    for version in PYTHON_VERSIONS {
        let directory = tempfile::tempdir().unwrap();
        let path = python_database(directory.path(), version).await;
        let store = Store::open(&path, Access::ReadWrite).await.unwrap();
        store.close().await.unwrap();
        assert_eq!(
            query(&path, "SELECT version_num FROM alembic_version").await,
            "e2f4a512d24c"
        );
        let columns = "SELECT group_concat(name) FROM \
            (SELECT t.name || '.' || c.name AS name FROM sqlite_schema t, pragma_table_info(t.name) c \
             WHERE t.type = 'table' ORDER BY name)";
        schemas.push(query(&path, columns).await);
    }
    assert!(schemas.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn a_revision_of_a_later_python_program_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = python_database(directory.path(), "0.6.3").await;
    sql(
        &path,
        "UPDATE alembic_version SET version_num = 'fedcba987654'",
    )
    .await;
    let store = Store::open(&path, Access::ReadWrite).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(
        query(&path, "SELECT version_num FROM alembic_version").await,
        "fedcba987654"
    );
}

#[tokio::test]
async fn a_revision_does_not_prove_the_columns() {
    let directory = tempfile::tempdir().unwrap();
    let path = python_database(directory.path(), "0.3.0").await;
    sql(
        &path,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
         INSERT INTO alembic_version VALUES ('e2f4a512d24c');
         ALTER TABLE machine ADD COLUMN action_delay INTEGER DEFAULT '0';
         ALTER TABLE machine ADD COLUMN highest_node_id_used INTEGER;
         UPDATE machine SET action_delay = NULL, antnode_path = NULL, process_manager = NULL",
    )
    .await;
    let store = Store::open(&path, Access::ReadWrite).await.unwrap();
    let machine = store.machine().await.unwrap().unwrap();
    let state = store.machine_state().await.unwrap();
    store.close().await.unwrap();
    assert!(!machine.manager_settings.flag("antctl_debug"));
    assert_eq!(state.highest_id, None);
    assert_eq!(machine.pacing.action.0, 0);
    assert_eq!(machine.antnode_path.to_str(), Some("~/.local/bin/antnode"));
    assert_eq!(
        machine.manager,
        super::super::machine_table::DEFAULT_MANAGER
    );
}

#[tokio::test]
async fn a_new_database_has_the_tables_of_the_last_python_program() {
    let directory = tempfile::tempdir().unwrap();
    let python = python_database(directory.path(), "0.6.3").await;
    let path = directory.path().join("new.db");
    let store = Store::create(&path).await.unwrap();
    assert_eq!(store.machine().await.unwrap(), None);
    assert_eq!(store.nodes().await.unwrap(), []);
    store.close().await.unwrap();
    for name in ["container", "alembic_version"] {
        let table = format!("SELECT sql FROM sqlite_schema WHERE name = '{name}'");
        assert_eq!(query(&path, &table).await, query(&python, &table).await);
    }
    let indexes = "SELECT group_concat(sql, ';') FROM \
        (SELECT sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'node' ORDER BY name)";
    assert_eq!(query(&path, indexes).await, query(&python, indexes).await);
    let added = async |table: &str| {
        let table = format!("SELECT sql FROM sqlite_schema WHERE name = '{table}'");
        let [ours, theirs] = [query(&path, &table).await, query(&python, &table).await];
        let (columns, keys) = theirs.split_once(", \n\tPRIMARY KEY").unwrap();
        let rest = ours.strip_prefix(columns);
        let added = rest.and_then(|rest| rest.strip_suffix(keys)).unwrap();
        added.replace(", ", "\n")
    };
    assert_snapshot!(added("machine").await, @r"

    firewall TEXT NOT NULL DEFAULT 'auto'
    fleet_memory_max TEXT
    fleet_cpu_quota INTEGER
    container_network TEXT NOT NULL DEFAULT 'host'
    manager_settings TEXT NOT NULL DEFAULT '{}'

    	PRIMARY KEY
    ");
    assert_snapshot!(added("node").await, @r#"

    desired TEXT NOT NULL DEFAULT ''
    desired_by TEXT NOT NULL DEFAULT ''
    desired_since INTEGER NOT NULL DEFAULT 0
    observed TEXT NOT NULL DEFAULT ''
    observed_at INTEGER NOT NULL DEFAULT 0
    transition TEXT
    transition_since INTEGER
    transition_acted INTEGER
    last_start INTEGER
    failed_starts INTEGER NOT NULL DEFAULT 0
    load_stops INTEGER NOT NULL DEFAULT 0

    	PRIMARY KEY
    "#);
}

#[tokio::test]
async fn tables_without_rows_are_an_uninitialised_colony() {
    let directory = tempfile::tempdir().unwrap();
    let path = python_database(directory.path(), "0.6.3").await;
    sql(
        &path,
        "DELETE FROM node; DELETE FROM machine; DROP TABLE alembic_version",
    )
    .await;
    for access in [Access::View, Access::ReadWrite] {
        let store = Store::open(&path, access).await.unwrap();
        assert_eq!(store.machine().await.unwrap(), None);
        assert_eq!(store.nodes().await.unwrap(), []);
        store.close().await.unwrap();
    }
}
