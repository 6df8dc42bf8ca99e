//! What the program prints with `--json`: one document per run, with a `status` in each.
//!
//! Keys are sorted in every object, whatever the order of the fields.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use wnm_colony::takeover::LeftAlone;
use wnm_core::cycle::CycleReport;
use wnm_core::decide::{Plan, Reason};
use wnm_core::event::{Event, Outcome};
use wnm_core::node::{Node, Status};
use wnm_core::ports::Port;
use wnm_core::snapshot::Snapshot;
use wnm_report::FindingReport;

/// The one line of JSON for a document.
pub fn to_json(document: &impl Serialize) -> serde_json::Result<String> {
    Ok(serde_json::to_value(document)?.to_string())
}

/// A run of which nothing more is to be said.
#[derive(Serialize)]
pub struct Done<'a> {
    pub status: &'a str,
}

/// A run that says how it went in words, or why it failed.
#[derive(Serialize)]
pub struct Message<'a> {
    pub status: &'a str,
    pub message: &'a str,
}

/// `--version`.
#[derive(Serialize)]
pub struct Version<'a> {
    pub status: &'a str,
    pub version: &'a str,
}

/// `--dockerfile`.
#[derive(Serialize)]
pub struct Dockerfile<'a> {
    pub status: &'a str,
    pub dockerfile: &'a str,
}

/// A cycle, or what was forced.
#[derive(Serialize)]
pub struct Cycle<'a> {
    pub status: &'a str,
    pub running: usize,
    pub under_way: usize,
    pub total: usize,
    pub cap: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub machine_steps: Vec<CycleMachineStep<'a>>,
    pub steps: Vec<CycleStep<'a>>,
    pub held_back: Vec<String>,
    pub warnings: Vec<String>,
}

/// One step of a cycle that is about the machine.
#[derive(Serialize)]
pub struct CycleMachineStep<'a> {
    pub act: &'a str,
    pub on: String,
    pub outcome: Outcome,
    pub reason: String,
    pub error: Option<&'a str>,
}

/// One step of a cycle.
#[derive(Serialize)]
pub struct CycleStep<'a> {
    pub node: String,
    pub act: &'a str,
    pub outcome: Outcome,
    pub reason: String,
    pub error: Option<&'a str>,
}

impl<'a> Cycle<'a> {
    /// The document of a report, with its counts of nodes that run and that are between two states.
    pub fn of(done: &'a CycleReport, running: usize, under_way: usize) -> Self {
        let texts = |reasons: &[Reason]| reasons.iter().map(ToString::to_string).collect();
        let steps = done.results.iter().map(|result| CycleStep {
            node: result.step.node.directory_name(),
            act: result.step.act.word(),
            outcome: result.outcome,
            reason: result.step.reason.to_string(),
            error: result.error.as_deref(),
        });
        let machine_steps = done.machine_results.iter().map(|result| CycleMachineStep {
            act: result.step.act.as_str(),
            on: result.step.act.to_string(),
            outcome: result.outcome,
            reason: result.step.reason.to_string(),
            error: result.error.as_deref(),
        });
        Self {
            status: done.status.as_str(),
            running,
            under_way,
            total: done.nodes.len(),
            cap: done.snapshot.machine.node_cap,
            machine_steps: machine_steps.collect(),
            steps: steps.collect(),
            held_back: texts(&done.plan.held_back),
            warnings: texts(&done.plan.warnings),
        }
    }
}

/// `wnm plan`. The snapshot in it can be read back.
#[derive(Serialize)]
pub struct Planned<'a> {
    pub status: &'a str,
    pub plan: &'a Plan,
    pub snapshot: &'a Snapshot,
}

/// `wnm events`.
#[derive(Serialize)]
pub struct Events<'a> {
    pub status: &'a str,
    pub events: &'a [Event],
}

/// `wnm doctor`.
#[derive(Serialize)]
pub struct Doctor<'a> {
    pub status: &'a str,
    pub nodes: usize,
    pub findings: Vec<FindingReport<'a>>,
    pub mended: Vec<FindingReport<'a>>,
}

/// `wnm export` to a file.
#[derive(Serialize)]
pub struct ExportedFile<'a> {
    pub status: &'a str,
    pub file: &'a Path,
}

/// `wnm export` of settings and nodes.
#[derive(Serialize)]
pub struct Exported<'a> {
    pub status: &'a str,
    pub machine: Value,
    pub nodes: Value,
}

/// A teardown.
#[derive(Serialize)]
pub struct TornDown<'a> {
    pub status: &'a str,
    pub removed_count: usize,
}

/// What an action would be done with.
#[derive(Serialize)]
pub struct DryAction<'a> {
    pub status: &'a str,
    pub nodes: usize,
}

/// `--init` without nodes to adopt, or what it would do.
#[derive(Serialize)]
pub struct Initialized<'a> {
    pub status: &'a str,
    pub database: &'a Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_manager: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adopted: Option<usize>,
}

/// `wnm release`, or what it would do.
#[derive(Serialize)]
pub struct Released<'a> {
    pub status: &'a str,
    pub nodes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<&'a Path>,
    pub cron: &'a [String],
}

/// A take-over, or what it would do.
#[derive(Serialize)]
pub struct TakenOver<'a> {
    pub status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<&'a Path>,
    pub adopted: usize,
    pub nodes: Vec<AdoptedNode<'a>>,
    pub left_alone: &'a [LeftAlone],
    pub node_cap_raised_to: Option<u32>,
    pub settings: Vec<OptionValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anm: Option<TakenFromAnm<'a>>,
}

/// One adopted node.
#[derive(Serialize)]
pub struct AdoptedNode<'a> {
    pub node: String,
    pub service: &'a str,
    pub status: Status,
    pub port: Port,
    pub metrics_port: Option<Port>,
    pub root_dir: &'a Path,
    pub version: Option<String>,
    pub peer_id: Option<&'a str>,
}

impl<'a> AdoptedNode<'a> {
    /// A node as it is recorded.
    pub fn of(node: &'a Node) -> Self {
        Self {
            node: node.id.directory_name(),
            service: &node.service,
            status: node.status(),
            port: node.ports.node,
            metrics_port: node.ports.metrics,
            root_dir: &node.root_dir,
            version: node.version.as_ref().map(ToString::to_string),
            peer_id: node.peer_id.as_deref(),
        }
    }
}

/// An option and its value.
#[derive(Serialize)]
pub struct OptionValue<'a> {
    pub option: &'a str,
    pub value: &'a str,
}

/// What a take-over took from anm, and what it removed of it.
#[derive(Serialize)]
pub struct TakenFromAnm<'a> {
    pub settings: Vec<OptionValue<'a>>,
    pub notes: &'a [String],
    pub removed: Option<PathBuf>,
}
