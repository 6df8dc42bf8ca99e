//! What a person makes wnm do.

use serde::{Deserialize, Serialize};

use super::{Colony, ColonyError, CycleOptions};
use crate::store::Changes;
use wnm_core::cycle::{CYCLE_REPORT_FORMAT, CycleReport, CycleStatus};
use wnm_core::decide::{ForcedRequest, Plan, decide, decide_forced};
use wnm_core::event::{Event, EventKind, Outcome};
use wnm_core::id::NodeId;
use wnm_core::machine::MachineState;
use wnm_core::manager::{DataLocation, teardown};
use wnm_core::node::{Node, lifecycle};
use wnm_core::snapshot::Snapshot;

/// What a teardown did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeardownReport {
    /// Nodes that are gone.
    pub removed: usize,
}

impl Colony {
    /// What a request would do. Nothing is written or changed.
    pub async fn plan_forced(
        &self,
        request: &ForcedRequest,
        options: &CycleOptions,
    ) -> Result<(Snapshot, Plan), ColonyError> {
        let observation = self.look(options).await?;
        let plan = decide_forced(&observation.snapshot, request)?;
        Ok((observation.snapshot, plan))
    }

    /// Looks, then does what was asked for.
    pub async fn force(
        &mut self,
        request: &ForcedRequest,
        options: &CycleOptions,
    ) -> Result<CycleReport, ColonyError> {
        request.check()?;
        let snapshot = self.look_and_record(options).await?;
        let plan = decide_forced(&snapshot, request)?;
        self.carry_out(snapshot, plan, options).await
    }

    /// Looks at everything, records it and decides nothing.
    pub async fn survey(&mut self, options: &CycleOptions) -> Result<CycleReport, ColonyError> {
        let snapshot = self.look_and_record(options).await?;
        let mut plan = decide(&snapshot);
        plan.steps.clear();
        plan.machine_steps.clear();
        let status = if snapshot.nodes.is_empty() {
            CycleStatus::NoNodes
        } else {
            CycleStatus::SurveyComplete
        };
        let nodes = snapshot.nodes.clone();
        Ok(CycleReport {
            format: CYCLE_REPORT_FORMAT,
            status,
            snapshot,
            plan,
            machine_results: Vec::new(),
            results: Vec::new(),
            nodes,
        })
    }

    /// Removes every node with its data, disabled ones too. Nodes that could not be removed keep their rows.
    ///
    /// That all of them are to go is on record before anything is done: of a run that ends in the middle the
    /// next cycle removes the rest, where it would bring up again what it finds stopped.
    pub async fn teardown(&mut self, confirmed: bool) -> Result<TeardownReport, ColonyError> {
        let nodes = self.store.nodes().await?;
        if !confirmed {
            return Err(ColonyError::NotConfirmed { nodes: nodes.len() });
        }
        let now = self.environment.clock.now();
        let mut nodes = nodes;
        for node in &mut nodes {
            lifecycle::request_removal(node, now);
        }
        let begun = Changes {
            nodes: nodes.clone(),
            ..Changes::default()
        };
        self.store.record(&begun).await?;
        let torn_down = teardown(self.manager.as_ref(), &nodes).await;
        let left = match &torn_down {
            Ok(()) => Vec::new(),
            Err(_) => self.still_there(&nodes).await?,
        };
        let deleted: Vec<NodeId> = nodes
            .iter()
            .map(|node| node.id)
            .filter(|id| !left.contains(id))
            .collect();
        let removed = deleted.len();
        let containers = match &torn_down {
            Ok(()) => self.store.containers().await?,
            Err(_) => Vec::new(),
        };
        let state = self.store.machine_state().await?;
        let state = left.is_empty().then_some(MachineState {
            highest_id: None,
            ..state
        });
        let (outcome, reason) = match &torn_down {
            Ok(()) => (Outcome::Done, format!("asked for: {removed} nodes removed")),
            Err(error) => (Outcome::Failed, error.to_string()),
        };
        let event = Event::new(
            self.environment.clock.now(),
            EventKind::TornDown,
            outcome,
            reason,
        );
        let changes = Changes {
            state,
            deleted,
            deleted_containers: containers.iter().map(|container| container.id).collect(),
            events: vec![event],
            ..Changes::default()
        };
        self.store.record(&changes).await?;
        match torn_down {
            Ok(()) => Ok(TeardownReport { removed }),
            Err(error) => Err(ColonyError::Teardown {
                left: left.len(),
                total: nodes.len(),
                first: error.to_string(),
            }),
        }
    }

    /// After a teardown that failed: every node of which something is, or may be, left.
    async fn still_there(&self, nodes: &[Node]) -> Result<Vec<NodeId>, ColonyError> {
        let statuses = self.manager.statuses(nodes).await.unwrap_or_default();
        let local = self.manager.policy().data == DataLocation::Local;
        Ok(nodes
            .iter()
            .filter(|node| {
                let gone = matches!(
                    statuses.get(&node.id),
                    Some(wnm_core::node::ProcessState::Missing)
                );
                !gone || (local && node.root_dir.symlink_metadata().is_ok())
            })
            .map(|node| node.id)
            .collect())
    }
}
