//! Reports for people and programs: pure functions from data to text. Nothing here measures, probes
//! or writes. Every text longer than a phrase ends with a newline.
//!
//! Reports keep the layout of the Python wnm 0.6.3, because scripts and Telegraf inputs depend on
//! it. They differ only where its output was wrong: a doubled path, a large number rounded to a
//! float, or a value that a shell does not read back.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod cycle;
mod details;
mod doctor;
mod events;
mod fields;
#[cfg(test)]
mod fixture;
mod held_back;
mod influx;
mod metrics;
mod plan;
mod quote;
mod rewards;
mod select;
mod status;
mod table;

use thiserror::Error;
use wnm_core::reports::UnknownReport;

pub use cycle::{CycleSummary, cycle_failures, cycle_summary};
pub use details::node_status_details;
pub use doctor::{FindingReport, doctor, finding_reports};
pub use events::events;
pub use fields::machine_config;
pub use held_back::held_back;
pub use influx::influx_resources;
pub use metrics::{MetricsReport, NodeCounts, machine_metrics};
pub use plan::plan;
pub use quote::{config_line, environment_line};
pub use select::select_nodes;
pub use status::node_status;

/// The text of a report about no nodes, as the Python wnm prints it.
const NO_NODES: &str = "No nodes found.\n";

/// Why a report cannot be made.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The report does not support the format.
    #[error(transparent)]
    Unknown(#[from] UnknownReport),
    /// All requested names that match no node.
    #[error("{}", select::describe(.0))]
    UnknownNodes(Vec<UnknownNode>),
    /// The report cannot be serialised as JSON.
    #[error("cannot write the report as JSON: {0}")]
    Json(#[source] serde_json::Error),
}

/// A requested name that matches no node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownNode {
    /// The name as given.
    pub name: String,
    /// The most similar existing name. `None` if there are no nodes.
    pub nearest: Option<String>,
}

/// JSON in the layout of the Python wnm: indented by two spaces, with a newline at the end.
fn json(value: &impl serde::Serialize) -> Result<String, ReportError> {
    let mut text = serde_json::to_string_pretty(value).map_err(ReportError::Json)?;
    text.push('\n');
    Ok(text)
}
