//! The InfluxDB report.

use std::fmt::Write;

use crate::details::hundredths;
use crate::rewards;
use crate::table::one_line;
use wnm_core::node::{Node, Status};

/// The report `influx-resources` in InfluxDB line protocol: a line per node, followed by totals,
/// all with one timestamp.
///
/// `at_nanos` is nanoseconds since 1970. The fields have the names of the Python wnm; two differ
/// from its columns (`up_time`, `shunned_count`). The format is in the InfluxDB v2 documentation,
/// "Line protocol".
pub fn influx_resources(nodes: &[&Node], at_nanos: i128) -> String {
    if nodes.is_empty() {
        return "# No nodes found\n".to_owned();
    }
    let mut text = String::with_capacity(nodes.len() * BYTES_A_LINE);
    for node in nodes {
        line(&mut text, node, at_nanos);
    }
    let count = |wanted: &[Status]| {
        let counted = nodes.iter().filter(|node| wanted.contains(&node.status()));
        counted.count()
    };
    text.push_str(&format!(
        "nodes_totals rewards=\"{}\",nodes_running={}i,nodes_killed={}i {at_nanos}\n",
        rewards::total(nodes),
        count(&[Status::Running]),
        count(&[Status::Stopped, Status::Dead]),
    ));
    text.push_str(&format!(
        "nodes_network size={}i {at_nanos}\n",
        network_size(nodes)
    ));
    text
}

/// The approximate length of a line in bytes, to reserve space once for all.
const BYTES_A_LINE: usize = 480;

fn line(text: &mut String, node: &Node, at_nanos: i128) {
    let measured = &node.measured;
    let version = node.version.as_ref().map(ToString::to_string);
    text.push_str("nodes");
    // The tag is a number and needs no escaping.
    push(text, ",id=", node.id);
    push(
        text,
        " PeerId=",
        quoted(node.peer_id.as_deref().unwrap_or_default()),
    );
    push(text, ",status=", quoted(node.status().as_str()));
    push(text, ",version=", quoted(&version.unwrap_or_default()));
    integer(text, "gets", measured.gets);
    integer(text, "puts", measured.puts);
    integer(text, "up_time", measured.uptime);
    push(
        text,
        ",rewards=",
        quoted(measured.rewards.as_deref().unwrap_or("0")),
    );
    integer(text, "records", measured.records);
    integer(text, "connected_peers", measured.connected_peers);
    integer(text, "network_size", measured.network_size);
    integer(text, "open_connections", measured.open_connections);
    integer(text, "total_peers", measured.total_peers);
    integer(text, "shunned_count", measured.shunned);
    integer(text, "bad_peers", measured.bad_peers);
    float(text, "mem", measured.memory_mb);
    float(text, "cpu", measured.cpu_percent);
    integer(text, "rel_records", measured.relevant_records);
    integer(text, "max_records", measured.max_records);
    integer(text, "payment_count", measured.payment_count);
    integer(text, "live_time", measured.live_time);
    push(text, " ", at_nanos);
    text.push('\n');
}

fn push(text: &mut String, before: &str, value: impl std::fmt::Display) {
    text.push_str(before);
    // Writing to a String cannot fail.
    let _infallible = write!(text, "{value}");
}

/// Appends an integer field. InfluxDB integers are signed 64-bit, and a larger value would
/// invalidate the line.
fn integer(text: &mut String, key: &str, value: u64) {
    let value = i64::try_from(value).unwrap_or(i64::MAX);
    let _infallible = write!(text, ",{key}={value}i");
}

/// Appends a float field with the database's precision, always with a fraction so the field's type
/// is stable.
fn float(text: &mut String, key: &str, value: f64) {
    let value = hundredths(value) as f64 / 100.0;
    let _infallible = write!(text, ",{key}={value:?}");
}

/// A string field. Escapes quotes and backslashes, and replaces line breaks by spaces.
fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for c in one_line(value) {
        if matches!(c, '"' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('"');
    text
}

/// The mean estimate of the running nodes that have one, rounded down.
fn network_size(nodes: &[&Node]) -> u64 {
    let sizes: Vec<u64> = nodes
        .iter()
        .filter(|node| node.status() == Status::Running)
        .map(|node| node.measured.network_size)
        .filter(|&size| size > 0)
        .collect();
    let sum: u128 = sizes.iter().map(|&size| u128::from(size)).sum();
    let mean = sum.checked_div(sizes.len() as u128).unwrap_or(0);
    u64::try_from(mean).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    const AT: i128 = 1_795_215_709_292_246_528;

    #[test]
    fn the_text_equals_the_python_report_except_for_its_rounded_sum() {
        let nodes = fixture::nodes();
        let recorded = fixture::recorded!("influx-resources.txt");
        assert_eq!(
            influx_resources(&fixture::refs(&nodes), AT),
            recorded.replace("1.2345678901234567e+19", "12345678901234567890")
        );
    }

    #[test]
    fn no_value_breaks_out_of_its_field() {
        let mut node = fixture::nodes().remove(0);
        node.peer_id = Some("a\"b\\c,d e=f\ng".to_owned());
        node.measured.rewards = None;
        node.measured.puts = u64::MAX;
        node.measured.memory_mb = f64::NAN;
        insta::assert_snapshot!(influx_resources(&[&node], -1), @r#"
        nodes,id=1 PeerId="a\"b\\c,d e=f g",status="RUNNING",version="0.4.16",gets=0i,puts=9223372036854775807i,up_time=86400i,rewards="0",records=1843i,connected_peers=217i,network_size=2064384i,open_connections=64i,total_peers=251i,shunned_count=3i,bad_peers=7i,mem=0.0,cpu=0.04,rel_records=412i,max_records=16384i,payment_count=9i,live_time=1000000i -1
        nodes_totals rewards="0",nodes_running=1i,nodes_killed=0i -1
        nodes_network size=2064384i -1
        "#);
    }

    /// Uses InfluxData's own parser.
    #[test]
    fn line_protocol_parses_back_to_every_value() {
        use influxdb_line_protocol::{FieldValue, parse_lines};
        let mut nodes = fixture::nodes();
        nodes[0].peer_id = Some("a\"b\\c,d e=f\ng".to_owned());
        nodes[1].measured.puts = u64::MAX;
        let text = influx_resources(&fixture::refs(&nodes), AT);
        let lines: Vec<_> = parse_lines(&text).map(Result::unwrap).collect();
        let measurements: Vec<&str> = lines
            .iter()
            .map(|line| line.series.measurement.as_str())
            .collect();
        assert_eq!(
            measurements,
            ["nodes", "nodes", "nodes", "nodes_totals", "nodes_network"]
        );
        let at = i64::try_from(AT).ok();
        assert!(lines.iter().all(|line| line.timestamp == at));
        let field = |line: usize, name: &str| {
            let fields = lines[line].field_set.iter();
            let mut found = fields.filter(|(key, _)| key.as_str() == name);
            found.next().map(|(_, value)| value.clone()).unwrap()
        };
        let FieldValue::String(peer) = field(0, "PeerId") else {
            panic!("not a string");
        };
        assert_eq!(peer.as_str(), "a\"b\\c,d e=f g");
        assert_eq!(field(1, "puts"), FieldValue::I64(i64::MAX));
        assert_eq!(field(0, "mem"), FieldValue::F64(97.81));
        assert_eq!(field(4, "size"), FieldValue::I64(2_064_384));
        let tags = lines[2].series.tag_set.as_ref().unwrap();
        assert_eq!((tags[0].0.as_str(), tags[0].1.as_str()), ("id", "4"));
    }

    #[test]
    fn the_network_size_is_the_mean_of_running_nodes_with_an_estimate() {
        let mut nodes = vec![fixture::nodes().remove(0); 4];
        for (node, size) in nodes.iter_mut().zip([7, 0, 10, 1000]) {
            node.measured.network_size = size;
        }
        wnm_core::testing::edit(&mut nodes[3], |n| {
            n.observed.state = wnm_core::node::ObservedState::Stopped
        });
        assert_eq!(network_size(&fixture::refs(&nodes)), 8);
        assert_eq!(network_size(&[]), 0);
        assert_eq!(influx_resources(&[], AT), "# No nodes found\n");
    }
}
