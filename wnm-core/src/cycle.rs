//! What a cycle saw, decided and did.

mod status;

pub use status::CycleStatus;

use serde::{Deserialize, Serialize};

use crate::decide::{MachineStep, Plan, Step};
use crate::event::Outcome;
use crate::node::Node;
use crate::snapshot::Snapshot;

/// Version of the JSON form of a cycle's report; raised when a reader of the old form would be misled.
pub const CYCLE_REPORT_FORMAT: u32 = 1;

/// How one step came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepResult {
    /// The step.
    pub step: Step,
    /// How it came out.
    pub outcome: Outcome,
    /// What went wrong, in words.
    pub error: Option<String>,
    /// Whether the node ran before.
    pub was_running: bool,
}

/// How one step of the machine came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MachineStepResult {
    /// The step.
    pub step: MachineStep,
    /// How it came out.
    pub outcome: Outcome,
    /// What went wrong, in words.
    pub error: Option<String>,
}

/// What a run saw, decided and did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[must_use = "steps may have failed"]
pub struct CycleReport {
    /// [`CYCLE_REPORT_FORMAT`] at the time of writing.
    pub format: u32,
    /// In one word.
    pub status: CycleStatus,
    /// What it decided on.
    pub snapshot: Snapshot,
    /// What it decided.
    pub plan: Plan,
    /// What came of the steps of the machine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub machine_results: Vec<MachineStepResult>,
    /// What came of it, step by step.
    pub results: Vec<StepResult>,
    /// The nodes as they are now. On record, memory and processor share are in hundredths.
    pub nodes: Vec<Node>,
}
