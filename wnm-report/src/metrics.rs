//! The report on the machine's load and node counts.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;

use semver::Version;

use crate::ReportError;
use crate::fields::{Field, render};
use wnm_core::machine::ConfigValue;
use wnm_core::machine::{Machine, MachineLoad};
use wnm_core::node::{Node, Status};
use wnm_core::quantity::{Percent, UnixTime};
use wnm_core::reports::{ReportFormat, ReportKind};

/// Node counts by status and version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeCounts {
    /// All nodes, including those under removal.
    pub total: u64,
    /// By status.
    pub by_status: BTreeMap<Status, u64>,
    /// By version, newest first. Leaves out nodes without a version.
    pub by_version: BTreeMap<Reverse<Version>, u64>,
    /// The version of the first node.
    pub first_version: Option<Version>,
    /// Nodes with the current version, without disabled ones.
    pub latest: u64,
    /// Nodes without a version, without disabled ones.
    pub without_version: u64,
    /// Nodes with another version, without disabled ones.
    pub to_upgrade: u64,
}

impl NodeCounts {
    /// Counts nodes. `current` is the version that upgrades install.
    pub fn of(nodes: &[Node], current: Option<&Version>) -> Self {
        let mut counts = NodeCounts {
            first_version: nodes.first().and_then(|node| node.version.clone()),
            ..NodeCounts::default()
        };
        for node in nodes {
            counts.total += 1;
            *counts.by_status.entry(node.status()).or_default() += 1;
            if let Some(version) = &node.version {
                let count = counts.by_version.entry(Reverse(version.clone()));
                *count.or_default() += 1;
            }
            if node.is_disabled() {
                continue;
            }
            match &node.version {
                None => counts.without_version += 1,
                Some(version) if Some(version) == current => counts.latest += 1,
                Some(_) => counts.to_upgrade += 1,
            }
        }
        counts
    }

    fn with(&self, status: Status) -> u64 {
        self.by_status.get(&status).copied().unwrap_or(0)
    }
}

/// The input of [`machine_metrics`].
#[derive(Debug, Clone, Copy)]
pub struct MetricsReport<'a> {
    /// The measurement that the last cycle stored. A report measures nothing.
    pub load: &'a MachineLoad,
    /// The nodes.
    pub nodes: &'a NodeCounts,
    /// The binary that new and upgraded nodes copy.
    pub antnode: &'a Path,
    /// The version of that binary. `None` if unknown.
    pub antnode_version: Option<&'a Version>,
    /// The settings that the disk warning uses.
    pub machine: &'a Machine,
}

/// The report `machine-metrics`: the machine's load and node counts. Has the keys of the Python
/// wnm, followed by ours.
///
/// Fails if the report does not support `format`.
pub fn machine_metrics(
    report: &MetricsReport<'_>,
    format: ReportFormat,
) -> Result<String, ReportError> {
    ReportKind::MachineMetrics.check(format)?;
    render(&fields(report), format)
}

fn fields(report: &MetricsReport<'_>) -> Vec<(&'static str, Field)> {
    let MetricsReport { load, nodes, .. } = report;
    let current = report.antnode_version;
    let queen = nodes.first_version.as_ref().or(match nodes.total {
        0 => current,
        _ => None,
    });
    let by_version = nodes.by_version.iter();
    let by_version = by_version.map(|(Reverse(version), &count)| (version.to_string(), count));
    vec![
        ("system_start", time(load.boot_time)),
        ("total_nodes", count(nodes.total)),
        ("running_nodes", count(nodes.with(Status::Running))),
        ("stopped_nodes", count(nodes.with(Status::Stopped))),
        ("restarting_nodes", count(nodes.with(Status::Restarting))),
        ("upgrading_nodes", count(nodes.with(Status::Upgrading))),
        ("migrating_nodes", count(nodes.with(Status::Migrating))),
        ("removing_nodes", count(nodes.with(Status::Removing))),
        ("dead_nodes", count(nodes.with(Status::Dead))),
        ("disabled_nodes", count(nodes.with(Status::Disabled))),
        ("antnode", text(report.antnode.display().to_string())),
        ("antnode_version", version(current)),
        ("queen_node_version", version(queen)),
        ("nodes_latest_v", count(nodes.latest)),
        ("nodes_no_version", count(nodes.without_version)),
        ("nodes_to_upgrade", count(nodes.to_upgrade)),
        ("nodes_by_version", Field::Counts(by_version.collect())),
        ("load_average_1", float(load.load.one.get())),
        ("load_average_5", float(load.load.five.get())),
        ("load_average_15", float(load.load.fifteen.get())),
        ("idle_cpu_percent", remainder(load.cpu)),
        ("io_wait", share(load.io_wait)),
        ("used_cpu_percent", share(load.cpu)),
        ("used_mem_percent", share(load.memory)),
        ("free_mem_percent", remainder(load.memory)),
        ("used_hd_percent", share(load.disk)),
        ("total_hd_bytes", count(load.disk_total)),
        ("hdio_write_bytes", count(load.disk_io.write.0)),
        ("hdio_read_bytes", count(load.disk_io.read.0)),
        ("netio_write_bytes", count(load.net_io.write.0)),
        ("netio_read_bytes", count(load.net_io.read.0)),
        ("node_hd_crisis", count(crisis_percent(report))),
        ("stopping_nodes", count(nodes.with(Status::Stopping))),
        ("unknown_nodes", count(nodes.with(Status::Unknown))),
        ("measured_at", time(load.at)),
        ("measured_seconds", count(load.span.0)),
    ]
}

/// The disk space that nodes would need if each stored `crisis_bytes`, as a percentage of the space
/// that may be filled. Rounded down. 0 if the size of the disk is unknown.
fn crisis_percent(report: &MetricsReport<'_>) -> u64 {
    let remove_above = report.machine.thresholds.disk.remove_above.get();
    let room = report.load.disk_total as f64 * remove_above / 100.0;
    let needed = report.nodes.total as f64 * report.machine.crisis_bytes as f64;
    Percent::of(needed, room).get() as u64
}

fn count(number: u64) -> Field {
    Field::Value(number.into())
}

fn time(time: UnixTime) -> Field {
    Field::Value(ConfigValue::Int(time.0))
}

fn float(number: f64) -> Field {
    Field::Value(ConfigValue::Float(number))
}

/// A measured share with one decimal. More would be noise.
fn share(percent: Percent) -> Field {
    float(tenths(percent.get()))
}

/// The remainder to 100 %.
fn remainder(percent: Percent) -> Field {
    float(tenths((100.0 - percent.get()).max(0.0)))
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

fn text(text: String) -> Field {
    Field::Value(ConfigValue::Text(text))
}

fn version(version: Option<&Version>) -> Field {
    version.map_or(Field::Value(ConfigValue::Null), |v| text(v.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn report(nodes: &[Node], format: ReportFormat) -> String {
        let current = "0.4.16".parse().unwrap();
        let report = MetricsReport {
            load: &fixture::load(),
            nodes: &NodeCounts::of(nodes, Some(&current)),
            antnode: Path::new("/srv/ant/bin/antnode"),
            antnode_version: Some(&current),
            machine: &fixture::machine(),
        };
        machine_metrics(&report, format).unwrap()
    }

    #[test]
    fn the_json_equals_the_python_report_followed_by_our_keys() {
        let text = report(&fixture::nodes(), ReportFormat::Json);
        let recorded = fixture::recorded!("machine-metrics.json");
        let (ours, theirs) = (text.as_str(), recorded.trim_end_matches("\n}\n"));
        let rest = ours
            .strip_prefix(theirs)
            .unwrap_or_else(|| panic!("{ours}"));
        insta::assert_snapshot!(rest, @r#"
        ,
          "stopping_nodes": 0,
          "unknown_nodes": 0,
          "measured_at": 1795215700,
          "measured_seconds": 60
        }
        "#);
    }

    /// The lines that do not depend on the load. Recordings in other formats have other loads.
    fn without_load(text: &str) -> Vec<&str> {
        let load = ["load_", "idle_", "io_", "used_", "free_", "hdio_", "netio_"];
        let ours = ["stopping_", "unknown_", "measured_"];
        let skipped = [&load[..], &ours].concat();
        text.lines()
            .filter(|line| {
                !skipped
                    .iter()
                    .any(|key| line.to_lowercase().starts_with(key))
            })
            .collect()
    }

    #[test]
    fn text_and_env_equal_the_python_reports() {
        let text = report(&fixture::nodes(), ReportFormat::Text);
        let recorded = fixture::recorded!("machine-metrics.txt");
        assert_eq!(without_load(&text), without_load(recorded));
        assert!(text.contains("\nload_average_1: 2.34765625\n"), "{text}");
        let env = report(&fixture::nodes(), ReportFormat::Env);
        let recorded = fixture::recorded!("machine-metrics.env");
        assert_eq!(without_load(&env), without_load(recorded));
        assert!(env.contains("\nIO_WAIT=0.0\n"), "{env}");
    }

    #[test]
    fn unknown_values_are_empty() {
        let mut load = fixture::load();
        load.disk_total = 0;
        load.cpu = Percent::new(100.04).unwrap();
        let report = MetricsReport {
            load: &load,
            nodes: &NodeCounts::default(),
            antnode: Path::new("/srv/ant/bin/ant node"),
            antnode_version: None,
            machine: &fixture::machine(),
        };
        let env = machine_metrics(&report, ReportFormat::Env).unwrap();
        for line in [
            "ANTNODE=\"/srv/ant/bin/ant node\"",
            "ANTNODE_VERSION=",
            "QUEEN_NODE_VERSION=",
            "NODES_BY_VERSION=\"{}\"",
            "IDLE_CPU_PERCENT=0.0",
            "NODE_HD_CRISIS=0",
        ] {
            assert!(
                env.lines().any(|other| other == line),
                "{line} not in\n{env}"
            );
        }
    }

    #[test]
    fn disabled_and_unversioned_nodes_count_separately() {
        let mut nodes = fixture::nodes();
        nodes[0].version = None;
        nodes[1].version = "0.4.7".parse().ok();
        let counts = NodeCounts::of(&nodes, Some(&"0.4.16".parse().unwrap()));
        let versions = (counts.latest, counts.without_version, counts.to_upgrade);
        assert_eq!((counts.total, versions), (3, (0, 1, 1)));
        assert_eq!(counts.by_version.values().copied().collect::<Vec<_>>(), [2]);
    }
}
