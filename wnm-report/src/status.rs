//! The short report on nodes.

use serde::Serialize;

use crate::table::{Align, Column, render};
use crate::{NO_NODES, ReportError, json};
use wnm_core::node::{Node, Status};
use wnm_core::reports::{ReportFormat, ReportKind};

/// The text for an unknown peer id.
const NO_PEER_ID: &str = "-";

/// The column widths of the Python wnm. A longer cell widens its column; in the Python wnm it
/// touches the next.
const COLUMNS: [Column; 4] = [
    Column {
        align: Align::Left,
        min_width: 20,
    },
    Column {
        align: Align::Left,
        min_width: 55,
    },
    Column {
        align: Align::Left,
        min_width: 15,
    },
    Column {
        align: Align::Right,
        min_width: 15,
    },
];

#[derive(Serialize)]
struct Row<'a> {
    service_name: &'a str,
    peer_id: &'a str,
    status: Status,
    connected_peers: u64,
}

/// The report `node-status`: a line per node with service, peer id, status and connected peers.
///
/// Fails if the report does not support `format`.
pub fn node_status(nodes: &[&Node], format: ReportFormat) -> Result<String, ReportError> {
    ReportKind::NodeStatus.check(format)?;
    let rows = nodes.iter().map(|node| Row {
        service_name: &node.service,
        peer_id: peer_id(node),
        status: node.status(),
        connected_peers: node.measured.connected_peers,
    });
    if format == ReportFormat::Json {
        return json(&rows.collect::<Vec<_>>());
    }
    if nodes.is_empty() {
        return Ok(NO_NODES.to_owned());
    }
    let header = ["Service Name", "Peer ID", "Status", "Connected Peers"];
    let cells = rows.map(|row| {
        vec![
            row.service_name.to_owned(),
            row.peer_id.to_owned(),
            row.status.to_string(),
            row.connected_peers.to_string(),
        ]
    });
    let table: Vec<Vec<String>> = std::iter::once(header.map(str::to_owned).to_vec())
        .chain(cells)
        .collect();
    Ok(render("", 1, &COLUMNS, &table))
}

/// The peer id of a node, or `-` if unknown.
pub(super) fn peer_id(node: &Node) -> &str {
    node.peer_id
        .as_deref()
        .filter(|id| !id.is_empty())
        .unwrap_or(NO_PEER_ID)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_text_equals_the_python_report() {
        let nodes = fixture::nodes();
        let text = node_status(&fixture::refs(&nodes), ReportFormat::Text).unwrap();
        assert_eq!(text, fixture::recorded!("node-status.txt"));
    }

    #[test]
    fn the_json_equals_the_python_report() {
        let nodes = fixture::nodes();
        let text = node_status(&fixture::refs(&nodes), ReportFormat::Json).unwrap();
        assert_eq!(text, fixture::recorded!("node-status.json"));
    }

    #[test]
    fn one_node_and_no_node_are_lists() {
        let nodes = fixture::nodes();
        let one = node_status(&[&nodes[2]], ReportFormat::Json).unwrap();
        assert!(
            one.starts_with("[\n  {") && one.ends_with("}\n]\n"),
            "{one}"
        );
        assert_eq!(node_status(&[], ReportFormat::Json).unwrap(), "[]\n");
        assert_eq!(
            node_status(&[], ReportFormat::Text).unwrap(),
            "No nodes found.\n"
        );
    }

    #[test]
    fn a_long_service_name_does_not_touch_the_peer_id() {
        let mut nodes = fixture::nodes();
        nodes[0].service = "com.autonomi.antnode-1".to_owned();
        let text = node_status(&fixture::refs(&nodes), ReportFormat::Text).unwrap();
        assert!(text.contains("com.autonomi.antnode-1 12D3"), "{text}");
    }
}
