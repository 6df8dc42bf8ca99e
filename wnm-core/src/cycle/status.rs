use serde::{Deserialize, Serialize};

use crate::cycle::{MachineStepResult, StepResult};
use crate::decide::{Act, PlanKind};
use crate::event::Outcome;
use crate::node::ObservedState;
use crate::snapshot::Snapshot;

/// What a run came to, in one word that scripts of the Python wnm know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CycleStatus {
    /// Nothing was to be done.
    Idle,
    /// There are no nodes.
    NoNodes,
    /// Nodes were added.
    AddedNode,
    /// A node was started.
    StartedNode,
    /// Several nodes were started.
    StartedNodes,
    /// Nodes are being upgraded.
    UpgradingNode,
    /// Nodes were stopped.
    StoppedNode,
    /// Nodes that did not run were removed.
    RemovedStoppedNode,
    /// Nodes that ran were removed.
    RemovedRunningNode,
    /// Nodes without a directory were removed.
    RemovedDeadNodes,
    /// Nodes were taken out of wnm's hands.
    DisabledNode,
    /// Nodes were looked at.
    SurveyComplete,
    /// Everything is gone.
    ClusterTeardown,
    /// The machine came up anew.
    SystemRebooted,
    /// A colony was made.
    SystemInitialized,
    /// What an earlier run left in the middle was finished.
    Resumed,
    /// Something that was tried failed.
    Error,
}

impl CycleStatus {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::NoNodes => "no-nodes",
            Self::AddedNode => "added-node",
            Self::StartedNode => "started-node",
            Self::StartedNodes => "started-nodes",
            Self::UpgradingNode => "upgrading-node",
            Self::StoppedNode => "stopped-node",
            Self::RemovedStoppedNode => "removed-stopped-node",
            Self::RemovedRunningNode => "removed-running-node",
            Self::RemovedDeadNodes => "removed-dead-nodes",
            Self::DisabledNode => "disabled-node",
            Self::SurveyComplete => "survey-complete",
            Self::ClusterTeardown => "cluster-teardown",
            Self::SystemRebooted => "system-rebooted",
            Self::SystemInitialized => "system-initialized",
            Self::Resumed => "resumed",
            Self::Error => "error",
        }
    }

    /// The word for what was done: that of the step of highest rank, unless something failed.
    pub fn of(
        kind: PlanKind,
        snapshot: &Snapshot,
        machine_results: &[MachineStepResult],
        results: &[StepResult],
    ) -> Self {
        let machine = machine_results.iter().map(|result| result.outcome);
        let mut outcomes = machine.chain(results.iter().map(|result| result.outcome));
        if outcomes.any(|outcome| outcome == Outcome::Failed) {
            return Self::Error;
        }
        // Nodes may have come back with their containers, but nothing else was decided.
        if kind == PlanKind::Rebooted {
            return Self::SystemRebooted;
        }
        let told = results
            .iter()
            .filter(|result| result.step.act != Act::Forget);
        let Some(first) = told.clone().max_by_key(|result| result.step.priority) else {
            return match kind {
                PlanKind::Rebooted => Self::SystemRebooted,
                PlanKind::NoNodes => Self::NoNodes,
                PlanKind::Idle | PlanKind::Act => Self::Idle,
            };
        };
        match first.step.act {
            Act::Add => Self::AddedNode,
            Act::Start { .. } => {
                let starts = told
                    .filter(|r| matches!(r.step.act, Act::Start { .. }))
                    .count();
                if starts > 1 {
                    Self::StartedNodes
                } else {
                    Self::StartedNode
                }
            }
            Act::Stop => Self::StoppedNode,
            Act::Disable => Self::DisabledNode,
            Act::Upgrade => Self::UpgradingNode,
            Act::Remove => {
                let dead = snapshot.nodes.iter().any(|node| {
                    node.id == first.step.node && node.observed().state == ObservedState::Dead
                });
                match (dead, first.was_running) {
                    (true, _) => Self::RemovedDeadNodes,
                    (false, true) => Self::RemovedRunningNode,
                    (false, false) => Self::RemovedStoppedNode,
                }
            }
            Act::Resume => Self::Resumed,
            Act::Forget => Self::Idle,
        }
    }
}
