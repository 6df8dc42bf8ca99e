//! The detailed report on nodes.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use semver::Version;
use serde::Serialize;

use crate::status::peer_id;
use crate::{NO_NODES, ReportError, json};
use wnm_core::id::ContainerId;
use wnm_core::id::NodeId;
use wnm_core::node::{Actor, DesiredState, Node, ObservedState, Status, TransitionKind};
use wnm_core::ports::Port;
use wnm_core::quantity::UnixTime;
use wnm_core::reports::{ReportFormat, ReportKind};
use wnm_core::wallet::Address;

/// The id of the only machine in a database of the Python wnm.
const MACHINE_ID: u32 = 1;

/// The layout of node directories. There has been only one.
const LAYOUT: &str = "1";

/// A node as JSON: the columns of the Python wnm in its order and units, followed by ours.
#[derive(Serialize)]
struct Row<'a> {
    id: NodeId,
    machine_id: u32,
    container_id: Option<ContainerId>,
    manager_type: String,
    node_name: String,
    service: &'a str,
    user: &'a str,
    binary: Cow<'a, str>,
    version: Option<&'a Version>,
    root_dir: Cow<'a, str>,
    log_dir: Option<Cow<'a, str>>,
    port: Port,
    /// 0 if the node has none, as in the database.
    metrics_port: u16,
    rpc_port: u16,
    network: &'a str,
    wallet: Option<Address>,
    /// Empty if unknown, as in the database.
    peer_id: &'a str,
    status: Status,
    timestamp: UnixTime,
    records: u64,
    uptime: u64,
    shunned: u64,
    connected_peers: u64,
    gets: u64,
    puts: u64,
    /// Hundredths of a megabyte.
    mem: i64,
    /// Hundredths of a percent.
    cpu: i64,
    open_connections: u64,
    total_peers: u64,
    bad_peers: u64,
    rel_records: u64,
    max_records: u64,
    rewards: &'a str,
    payment_count: u64,
    live_time: u64,
    network_size: u64,
    age: UnixTime,
    host: &'a str,
    method: String,
    layout: &'static str,
    environment: &'a str,
    desired: DesiredState,
    desired_by: Actor,
    desired_since: UnixTime,
    observed: ObservedState,
    observed_at: UnixTime,
    transition: Option<TransitionKind>,
    transition_since: Option<UnixTime>,
}

impl<'a> Row<'a> {
    fn of(node: &'a Node) -> Self {
        let measured = &node.measured;
        Row {
            id: node.id,
            machine_id: MACHINE_ID,
            container_id: node.container,
            manager_type: node.manager.to_string(),
            node_name: node.name().to_string(),
            service: &node.service,
            user: &node.user,
            binary: node.binary.to_string_lossy(),
            version: node.version.as_ref(),
            root_dir: node.root_dir.to_string_lossy(),
            log_dir: node.log_dir.as_ref().map(|dir| dir.to_string_lossy()),
            port: node.ports.node,
            metrics_port: node.ports.metrics.map_or(0, Port::get),
            rpc_port: node.ports.rpc.map_or(0, Port::get),
            network: &node.network,
            wallet: node.wallet,
            peer_id: node.peer_id.as_deref().unwrap_or_default(),
            status: node.status(),
            timestamp: node.status_since(),
            records: measured.records,
            uptime: measured.uptime,
            shunned: measured.shunned,
            connected_peers: measured.connected_peers,
            gets: measured.gets,
            puts: measured.puts,
            mem: hundredths(measured.memory_mb),
            cpu: hundredths(measured.cpu_percent),
            open_connections: measured.open_connections,
            total_peers: measured.total_peers,
            bad_peers: measured.bad_peers,
            rel_records: measured.relevant_records,
            max_records: measured.max_records,
            rewards: measured.rewards.as_deref().unwrap_or("0"),
            payment_count: measured.payment_count,
            live_time: measured.live_time,
            network_size: measured.network_size,
            age: node.first_launch,
            host: &node.host,
            method: node.manager.to_string(),
            layout: LAYOUT,
            environment: node.environment.as_deref().unwrap_or_default(),
            desired: node.desired().state,
            desired_by: node.desired().by,
            desired_since: node.desired().since,
            observed: node.observed().state,
            observed_at: node.observed().at,
            transition: node.under_way(),
            transition_since: node.transition().map(|transition| transition.since),
        }
    }
}

/// Converts megabytes or percent to hundredths, the unit of the database. NaN becomes 0.
pub(super) fn hundredths(value: f64) -> i64 {
    // `as` saturates, which is right here: no real value comes near the limits.
    (value * 100.0).round() as i64
}

/// The report `node-status-details`: a block of lines per node, or a JSON array of rows.
///
/// Fails if the report does not support `format`.
pub fn node_status_details(nodes: &[&Node], format: ReportFormat) -> Result<String, ReportError> {
    ReportKind::NodeStatusDetails.check(format)?;
    if format == ReportFormat::Json {
        let rows: Vec<Row> = nodes.iter().map(|node| Row::of(node)).collect();
        return json(&rows);
    }
    if nodes.is_empty() {
        return Ok(NO_NODES.to_owned());
    }
    let blocks: Vec<String> = nodes.iter().map(|node| block(node)).collect();
    Ok(blocks.join("\n"))
}

fn block(node: &Node) -> String {
    let unknown = || "unknown".to_owned();
    let lines = [
        ("Service Name", node.service.clone()),
        (
            "Version",
            node.version
                .as_ref()
                .map_or_else(unknown, Version::to_string),
        ),
        ("Port", node.ports.node.to_string()),
        (
            "Metrics Port",
            node.ports.metrics.map_or(0, Port::get).to_string(),
        ),
        ("Data path", display(&node.root_dir)),
        ("Log path", display(&log_dir(node))),
        // The binary is an absolute path, except in rows written by hand.
        ("Bin Path", display(&node.root_dir.join(&node.binary))),
        ("Connected peers", node.measured.connected_peers.to_string()),
        (
            "Rewards address",
            node.wallet
                .map_or_else(unknown, |wallet| wallet.to_string()),
        ),
        ("Age", node.first_launch.to_string()),
        ("Peer ID", peer_id(node).to_owned()),
        ("Status", node.status().to_string()),
    ];
    lines
        .iter()
        .map(|(label, value)| format!("{label}: {value}\n"))
        .collect()
}

/// The log directory: the recorded one, or else `logs` in the data directory.
fn log_dir(node: &Node) -> PathBuf {
    let below = || node.root_dir.join("logs");
    node.log_dir.clone().unwrap_or_else(below)
}

fn display(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_text_equals_the_python_report_except_for_its_doubled_path() {
        let nodes = fixture::nodes();
        let text = node_status_details(&fixture::refs(&nodes), ReportFormat::Text).unwrap();
        let mut recorded = fixture::recorded!("node-status-details.txt").to_owned();
        for id in [1, 2, 4] {
            let root = format!("/srv/ant/nodes/antnode{id:04}");
            recorded = recorded.replace(&format!("{root}/{root}"), &root);
        }
        assert_eq!(text, recorded);
    }

    #[test]
    fn the_json_equals_the_python_report_followed_by_our_columns() {
        let nodes = fixture::nodes();
        let text = node_status_details(&fixture::refs(&nodes), ReportFormat::Json).unwrap();
        let ours = ["\"desired", "\"observed", "\"transition"];
        let bare = |text: &str| -> Vec<String> {
            text.lines()
                .filter(|line| !ours.iter().any(|key| line.trim_start().starts_with(key)))
                .map(|line| line.trim_end_matches(',').to_owned())
                .collect()
        };
        assert_eq!(
            bare(&text),
            bare(fixture::recorded!("node-status-details.json"))
        );
        let first: String = text.split_inclusive('\n').skip(42).take(10).collect();
        insta::assert_snapshot!(first, @r#"
          "environment": "",
          "desired": "running",
          "desired_by": "found",
          "desired_since": 1763000000,
          "observed": "running",
          "observed_at": 1763000000,
          "transition": null,
          "transition_since": null
        },
        {
        "#);
    }

    #[test]
    fn a_recorded_log_directory_is_reported() {
        let mut nodes = fixture::nodes();
        nodes[0].log_dir = Some("/var/log/antnode/antnode0001".into());
        nodes[0].version = None;
        nodes[0].wallet = None;
        nodes[0].ports.metrics = None;
        let text = node_status_details(&[&nodes[0]], ReportFormat::Text).unwrap();
        insta::assert_snapshot!(text, @"
        Service Name: antnode0001.service
        Version: unknown
        Port: 55001
        Metrics Port: 0
        Data path: /srv/ant/nodes/antnode0001
        Log path: /var/log/antnode/antnode0001
        Bin Path: /srv/ant/nodes/antnode0001/antnode
        Connected peers: 217
        Rewards address: unknown
        Age: 1762000000
        Peer ID: 12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE
        Status: RUNNING
        ");
        assert_eq!(
            node_status_details(&[], ReportFormat::Text).unwrap(),
            NO_NODES
        );
        assert_eq!(
            node_status_details(&[], ReportFormat::Json).unwrap(),
            "[]\n"
        );
    }

    #[test]
    fn nan_figures_are_zero() {
        assert_eq!([97.81, 0.04, f64::NAN].map(hundredths), [9781, 4, 0]);
    }
}
