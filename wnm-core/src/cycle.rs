//! What a cycle saw, decided and did.

mod status;

pub use status::CycleStatus;

use crate::decide::{MachineStep, Plan, Step};
use crate::event::Outcome;
use crate::node::Node;
use crate::snapshot::Snapshot;

/// How one step came out.
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, PartialEq)]
pub struct MachineStepResult {
    /// The step.
    pub step: MachineStep,
    /// How it came out.
    pub outcome: Outcome,
    /// What went wrong, in words.
    pub error: Option<String>,
}

/// What a run saw, decided and did.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "steps may have failed"]
pub struct CycleReport {
    /// In one word.
    pub status: CycleStatus,
    /// What it decided on.
    pub snapshot: Snapshot,
    /// What it decided.
    pub plan: Plan,
    /// What came of the steps of the machine.
    pub machine_results: Vec<MachineStepResult>,
    /// What came of it, step by step.
    pub results: Vec<StepResult>,
    /// The nodes as they are now. On record, memory and processor share are in hundredths.
    pub nodes: Vec<Node>,
}
