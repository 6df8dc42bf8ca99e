//! Rows that the Python wnm writes into our database, and values that it leaves behind.

use std::path::PathBuf;

use insta::assert_snapshot;
use tempfile::TempDir;

use super::samples::{id, machine, node, sql};
use crate::store::{Access, Changes, Store};
use wnm_core::kind::ManagerKind;
use wnm_core::machine::{ConfigValue, Machine, MachineState};
use wnm_core::node::{
    Actor, DesiredState, Node, ObservedState, Status, Transition, TransitionKind,
};
use wnm_core::quantity::UnixTime;

/// A colony of ours with one running node.
async fn colony() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("colony.db");
    let store = Store::create(&path).await.unwrap();
    let changes = Changes {
        machine: Some(machine()),
        nodes: vec![node(1)],
        ..Changes::default()
    };
    store.record(&changes).await.unwrap();
    store.close().await.unwrap();
    (directory, path)
}

/// Runs the statements as another program would. Returns all nodes, or the error.
async fn nodes_after(statements: &str) -> Result<Vec<Node>, String> {
    let (_directory, path) = colony().await;
    sql(&path, statements).await;
    let store = Store::open(&path, Access::View).await.unwrap();
    let nodes = store.nodes().await;
    store.close().await.unwrap();
    nodes.map_err(|error| file_name_only(&error.to_string(), &path))
}

/// Runs the statements as another program would. Returns the settings and the counters, or the error.
async fn machine_after(statements: &str) -> Result<(Machine, MachineState), String> {
    let (_directory, path) = colony().await;
    sql(&path, statements).await;
    let store = Store::open(&path, Access::View).await.unwrap();
    let read = match store.machine().await {
        Ok(machine) => store
            .machine_state()
            .await
            .map(|state| (machine.unwrap(), state)),
        Err(error) => Err(error),
    };
    store.close().await.unwrap();
    read.map_err(|error| file_name_only(&error.to_string(), &path))
}

fn file_name_only(message: &str, path: &std::path::Path) -> String {
    message.replace(&path.display().to_string(), "colony.db")
}

const INSERT_NODE: &str = "INSERT INTO node (id, machine_id, container_id, manager_type, node_name, service, \
    user, binary, version, root_dir, log_dir, port, metrics_port, rpc_port, network, wallet, peer_id, status, \
    timestamp, records, uptime, shunned, connected_peers, gets, puts, mem, cpu, open_connections, \
    total_peers, bad_peers, rel_records, max_records, rewards, payment_count, live_time, network_size, \
    age, host, method, layout, environment) \
    VALUES (2, 1, NULL, 'systemd', '0002', 'antnode0002', 'ant', 'antnode', 'v0.4.16-rc.1', \
    '/srv/ant/nodes/antnode0002', NULL, 55002, 0, 0, 'evm-arbitrum-one', '', '', 'RESTARTING', 1763000100, \
    -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, 0, 0, 0, 1763000000, '127.0.0.1', 'systemd', '1', NULL)";

#[tokio::test]
async fn a_node_row_without_our_columns_is_read() {
    let nodes = nodes_after(INSERT_NODE).await.unwrap();
    assert_eq!(nodes[0], node(1));
    let new = &nodes[1];
    assert_eq!(new.manager, ManagerKind::from_static("systemd+user"));
    assert_eq!(new.service, "antnode0002");
    assert_eq!(
        new.binary.to_str(),
        Some("/srv/ant/nodes/antnode0002/antnode")
    );
    assert_eq!(new.version.as_ref().unwrap().to_string(), "0.4.16-rc.1");
    assert_eq!((new.ports.metrics, new.ports.rpc), (None, None));
    assert_eq!((new.wallet, &new.peer_id), (None, &None));
    assert_eq!(new.measured, wnm_core::node::NodeMeasurements::default());
    assert_eq!(
        (new.failed_starts(), new.load_stops(), new.last_start()),
        (0, 0, None)
    );
    assert_eq!(new.status(), Status::Restarting);
}

#[tokio::test]
async fn a_machine_row_without_our_columns_is_read() {
    let statements = "DELETE FROM node; DELETE FROM machine; INSERT INTO machine (id, cpu_count, node_cap, \
        cpu_less_than, mem_less_than, hd_less_than, hdio_read_less_than, hdio_write_less_than, \
        netio_read_less_than, netio_write_less_than, cpu_remove, mem_remove, hd_remove, hdio_read_remove, \
        hdio_write_remove, netio_read_remove, netio_write_remove, max_load_average_allowed, \
        desired_load_average, delay_start, delay_restart, delay_upgrade, delay_remove, survey_delay, \
        action_delay, node_storage, rewards_address, donate_address, port_start, metrics_port_start, \
        rpc_port_start, highest_node_id_used, last_stopped_at, host, crisis_bytes, environment, start_args, \
        max_concurrent_upgrades, max_concurrent_starts, max_concurrent_removals, max_concurrent_operations, \
        node_removal_strategy, process_manager, max_node_per_container, min_container_count, docker_image, \
        no_upnp, antnode_path, antctl_path, antctl_debug, antctl_version) VALUES (1, 4, 20, 50, 60, 75, 0, 0, \
        0, 0, 70, 75, 90, 0, 0, 0, 0, 4.0, 2.4, 300, 600, 300, 300, 0, 0, '/srv/ant/nodes', \
        '0x00455d78f850b0358E8cea5be24d415E01E107CF', '0x00455d78f850b0358E8cea5be24d415E01E107CF', 55, 13, \
        30, NULL, 1762990000, '127.0.0.1', 2000000000, '', '', 1, 1, 1, 1, 'youngest', 'systemd+user', 200, \
        1, 'iweave/antnode:latest', 0, '/srv/ant/bin/antnode', '/srv/ant/bin/antctl', 0, NULL)";
    let stopped = MachineState {
        highest_id: None,
        last_stopped_at: Some(wnm_core::quantity::UnixTime(1_762_990_000)),
    };
    let expected = (machine(), stopped);
    assert_eq!(machine_after(statements).await.unwrap(), expected);
}

#[tokio::test]
async fn a_status_from_the_python_program_replaces_our_state() {
    use DesiredState::{Absent, Disabled, Running, Stopped};
    use TransitionKind::{Removing, Starting, Stopping, Upgrading};
    let unknown = ObservedState::Unknown;
    let cases = [
        ("STOPPED", Stopped, ObservedState::Stopped, None),
        (
            "STOPPING",
            Stopped,
            ObservedState::Running,
            Some((Stopping, false)),
        ),
        ("RESTARTING", Running, unknown, Some((Starting, true))),
        ("MIGRATING", Running, unknown, Some((Starting, true))),
        ("UPGRADING", Running, unknown, Some((Upgrading, true))),
        ("REMOVING", Absent, unknown, Some((Removing, false))),
        ("DISABLED", Disabled, unknown, None),
        ("DEAD", Stopped, ObservedState::Dead, None),
        ("UNKNOWN", Running, unknown, None),
    ];
    for (word, desired, observed, transition) in cases {
        let since = UnixTime(1_763_000_500);
        let update = format!("UPDATE node SET status = '{word}', timestamp = {since}");
        let node = nodes_after(&update).await.unwrap().remove(0);
        assert_eq!(
            (node.desired().state, node.observed().state),
            (desired, observed),
            "{word}"
        );
        assert_eq!(
            (node.desired().by, node.desired().since),
            (Actor::Found, since)
        );
        assert_eq!((node.observed().at, node.status_since()), (since, since));
        let expected = transition.map(|(kind, acted)| Transition { kind, since, acted });
        assert_eq!(node.transition(), expected, "{word}");
        if word != "MIGRATING" {
            assert_eq!(node.status().as_str(), word);
        }
    }
}

#[tokio::test]
async fn an_equal_status_keeps_our_state() {
    let same = nodes_after("UPDATE node SET status = 'RUNNING', records = 7")
        .await
        .unwrap();
    assert_eq!(same[0].desired(), node(1).desired());
    assert_eq!(same[0].measured.records, 7);
}

#[tokio::test]
async fn a_supervisor_without_a_mode_takes_the_mode_of_the_machine() {
    for (machine, node, read) in [
        ("systemd+sudo", "systemd", "systemd+sudo"),
        ("setsid+user", "systemd", "systemd+user"),
        ("antctl+zen", "antctl", "antctl+zen"),
        ("antctl+zen", "", "antctl+zen"),
        ("antctl+zen", "setsid+sudo", "setsid+sudo"),
    ] {
        let update = format!(
            "UPDATE machine SET process_manager = '{machine}'; UPDATE node SET manager_type = '{node}'"
        );
        let nodes = nodes_after(&update).await.unwrap();
        assert_eq!(nodes[0].manager.to_string(), read, "{machine}, {node}");
    }
}

#[tokio::test]
async fn contradicting_settings_are_read() {
    let (machine, state) = machine_after(
        "UPDATE machine SET cpu_less_than = 90, cpu_remove = 10, mem_less_than = 62.5, \
         desired_load_average = 5, node_removal_strategy = 'random', antctl_version = 'None', \
         docker_image = NULL, highest_node_id_used = 0, last_stopped_at = 0, no_upnp = 1",
    )
    .await
    .unwrap();
    assert_eq!(machine.thresholds.cpu.add_below.get(), 90.0);
    assert_eq!(machine.thresholds.cpu.remove_above.get(), 10.0);
    assert_eq!(machine.thresholds.memory.add_below.get(), 62.5);
    assert_eq!(machine.thresholds.load.add_below.get(), 5.0);
    assert_eq!(
        machine.removal_strategy,
        wnm_core::machine::RemovalStrategy::Youngest
    );
    for name in ["antctl_version", "docker_image"] {
        assert_eq!(machine.manager_settings.get(name), Some(&ConfigValue::Null));
    }
    assert_eq!((state.highest_id, state.last_stopped_at), (None, None));
    assert!(machine.launch.no_upnp);
}

#[tokio::test]
async fn errors_name_the_value_that_cannot_be_decoded() {
    let mut errors = Vec::new();
    for assignment in [
        "root_dir = 'nodes/antnode0001'",
        "root_dir = ''",
        "root_dir = CAST(x'2FFF' AS TEXT)",
        "wallet = '0x12'",
        "port = 0",
        "port = -5",
        "metrics_port = 70000",
        "manager_type = 'docker compose'",
        "status = 'ASLEEP'",
        "desired = 'rest'",
        "timestamp = 'yesterday'",
        "failed_starts = -1",
    ] {
        let update = format!("UPDATE node SET {assignment}");
        errors.push(nodes_after(&update).await.unwrap_err());
    }
    for assignment in [
        "rewards_address = 'me'",
        "donate_address = ''",
        "node_cap = -1",
        "cpu_remove = -3",
        "delay_start = 'soon'",
        "port_start = 99",
        "process_manager = 'up/start'",
    ] {
        let update = format!("UPDATE machine SET {assignment}");
        errors.push(machine_after(&update).await.unwrap_err());
    }
    assert_snapshot!(errors.join("\n"), @"
    colony.db: table node, row 1, column root_dir: 'nodes/antnode0001' is no absolute path
    colony.db: table node, row 1, column root_dir: is empty
    colony.db: table node, row 1, column root_dir: is not text
    colony.db: table node, row 1, column wallet: '0x12' is no address: it takes 0x and 40 hexadecimal digits
    colony.db: table node, row 1, column port: 0 is not a port (1 to 65535)
    colony.db: table node, row 1, column port: -5 is not a port (1 to 65535)
    colony.db: table node, row 1, column metrics_port: 70000 is not a port (1 to 65535)
    colony.db: table node, row 1, column manager_type: 'docker compose' is no process manager: a name is SUPERVISOR+MODE, as systemd+user, with the mode user, sudo or zen
    colony.db: table node, row 1, column status: unknown node status 'ASLEEP'
    colony.db: table node, row 1, column desired: 'rest' is not a known value
    colony.db: table node, row 1, column timestamp: 'yesterday' is not a whole number
    colony.db: table node, row 1, column failed_starts: -1 is out of range
    colony.db: table machine, row 1, column rewards_address: 'me' is no address: it takes 0x and 40 hexadecimal digits
    colony.db: table machine, row 1, column donate_address: is empty
    colony.db: table machine, row 1, column node_cap: -1 is out of range
    colony.db: table machine, row 1, column cpu_remove: -3: a percentage is a finite number of at least 0
    colony.db: table machine, row 1, column delay_start: 'soon' is not a whole number
    colony.db: table machine, row 1, column port_start: '99' begins no port range: give 1 to 65 (thousands) or a port from 1000 to 65535
    colony.db: table machine, row 1, column process_manager: 'up/start' is no process manager: a name is SUPERVISOR+MODE, as systemd+user, with the mode user, sudo or zen
    ");
}

#[tokio::test]
async fn an_invalid_version_counts_as_unknown() {
    for text in ["NULL", "''", "'unknown'", "'0.4'"] {
        let update = format!("UPDATE node SET version = {text}");
        assert_eq!(
            nodes_after(&update).await.unwrap()[0].version,
            None,
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_recreated_node_inherits_nothing_from_the_deleted_one() {
    let insert = INSERT_NODE.replace("VALUES (2,", "VALUES (1,");
    let nodes = nodes_after(&format!("DELETE FROM node; {insert}"))
        .await
        .unwrap();
    assert_eq!(nodes[0].id, id(1));
    assert_eq!(nodes[0].desired().by, Actor::Found);
}
