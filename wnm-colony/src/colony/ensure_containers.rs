//! Carries out the steps of a plan that ensure containers.

use std::collections::BTreeMap;

use super::{Colony, ColonyError};
use crate::store::Changes;
use wnm_core::cycle::MachineStepResult;
use wnm_core::decide::{MachineAct, MachineStep, Plan};
use wnm_core::event::{Event, EventKind, EventReason, Outcome};
use wnm_core::id::ContainerId;
use wnm_core::manager::{ContainerReport, ManagerError};
use wnm_core::snapshot::Snapshot;

/// The outcome of ensuring containers.
#[derive(Debug, Default)]
pub(super) struct EnsuredContainers {
    /// A result per step.
    pub results: Vec<MachineStepResult>,
    /// Containers that cannot be used, and why.
    pub closed: BTreeMap<ContainerId, String>,
}

impl Colony {
    /// Ensures all containers of a plan in one call, and records the outcomes.
    pub(super) async fn ensure_containers(
        &self,
        snapshot: &Snapshot,
        plan: &Plan,
    ) -> Result<EnsuredContainers, ColonyError> {
        let steps: Vec<(ContainerId, &MachineStep)> = plan
            .machine_steps
            .iter()
            .filter_map(|step| match step.act {
                MachineAct::EnsureContainer { container } => Some((container, step)),
                MachineAct::OpenPorts { .. } => None,
            })
            .collect();
        if steps.is_empty() {
            return Ok(EnsuredContainers::default());
        }
        let ids: Vec<ContainerId> = steps.iter().map(|(id, _)| *id).collect();
        let ensured = match self.manager.containers() {
            Some(containers) => containers.ensure(&ids, &snapshot.nodes).await,
            None => Err(self.manager.unsupported("containers")),
        };
        let mut report = ensured.unwrap_or_else(|error| {
            let outcomes = ids.iter().map(|id| (*id, Err(error.repeat())));
            ContainerReport {
                outcomes: outcomes.collect(),
                records: Vec::new(),
            }
        });
        let mut ensured = EnsuredContainers::default();
        let mut changes = Changes {
            containers: std::mem::take(&mut report.records),
            ..Changes::default()
        };
        for (id, step) in steps {
            let outcome = report.outcomes.remove(&id);
            let result = result_of(step, id, outcome);
            if let Some(error) = &result.error {
                tracing::warn!(container = %id, error, "a container cannot be used");
                ensured.closed.insert(id, error.clone());
            }
            changes.events.push(self.machine_event(&result));
            ensured.results.push(result);
        }
        self.store.record(&changes).await?;
        Ok(ensured)
    }

    /// The result of a step of the machine for the journal.
    pub(super) fn machine_event(&self, result: &MachineStepResult) -> Event {
        let kind = EventKind::of_machine_act(&result.step.act);
        let reason = EventReason::MachineStep {
            step: result.step.clone(),
            error: result.error.clone(),
        };
        Event::new(self.environment.clock.now(), kind, result.outcome, reason)
    }
}

fn result_of(
    step: &MachineStep,
    id: ContainerId,
    outcome: Option<Result<(), ManagerError>>,
) -> MachineStepResult {
    let (outcome, error) = match outcome {
        Some(Ok(())) => (Outcome::Done, None),
        Some(Err(error)) if error.leaves_it_open() => (Outcome::Open, Some(error.to_string())),
        Some(Err(error)) => (Outcome::Failed, Some(error.to_string())),
        None => {
            let error = format!("the manager said nothing of container {id}");
            (Outcome::Open, Some(error))
        }
    };
    MachineStepResult {
        step: step.clone(),
        outcome,
        error,
    }
}
