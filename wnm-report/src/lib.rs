//! What people and programs read: pure functions from data to text. Nothing here samples, surveys or
//! writes; every text that is more than a phrase ends with a newline.
//!
//! The reports have the layout of the Python wnm 0.6.3, which scripts and Telegraf inputs were written
//! against. Where its output was wrong (a path put before a full path, a number cut to a float, a value that
//! a shell does not read back) ours is right instead.
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

/// What a report says when it is about nodes and there are none, as the Python wnm.
const NO_NODES: &str = "No nodes found.\n";

/// Why there is no report.
#[derive(Debug, Error)]
pub enum ReportError {
    /// A format that this report does not come in.
    #[error(transparent)]
    Unknown(#[from] UnknownReport),
    /// Names of `--service_name` that no node has. All of them at once.
    #[error("{}", select::describe(.0))]
    UnknownNodes(Vec<UnknownNode>),
    /// The text could not be made.
    #[error("cannot write the report as JSON: {0}")]
    Json(#[source] serde_json::Error),
}

/// A name that no node has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownNode {
    /// As it was given.
    pub name: String,
    /// The existing one that resembles it most; none when there are no nodes.
    pub nearest: Option<String>,
}

/// JSON as the Python wnm lays it out: indented by two, with a newline at the end.
fn json(value: &impl serde::Serialize) -> Result<String, ReportError> {
    let mut text = serde_json::to_string_pretty(value).map_err(ReportError::Json)?;
    text.push('\n');
    Ok(text)
}
