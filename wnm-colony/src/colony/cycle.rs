//! One cycle: look, decide, act, record.

use std::collections::BTreeMap;

use super::{Colony, ColonyError};
use crate::act::{Execution, Executor, Progress, ProgressEvent};
use crate::observe::{Observation, Observer, mark_storage};
use crate::store::{Changes, CycleState, JOURNAL_DAYS};
use wnm_core::cycle::{CYCLE_REPORT_FORMAT, CycleReport, CycleStatus};
use wnm_core::decide::{Plan, decide};
use wnm_core::event::{Event, EventKind, Outcome};
use wnm_core::id::NodeId;
use wnm_core::node::NodeChange;
use wnm_core::quantity::{Milliseconds, Seconds, UnixTime};
use wnm_core::snapshot::Snapshot;

/// How long an event stays in the journal.
const JOURNAL_KEPT: Seconds = Seconds(JOURNAL_DAYS * 86_400);

/// After how long a state that lasts is told again.
const TOLD_AGAIN_AFTER: Seconds = Seconds(86_400);

/// How one run is done, beyond what is stored.
#[derive(Clone, Default)]
pub struct CycleOptions {
    /// Whether wnm upgrades nodes itself.
    pub upgrades_enabled: bool,
    /// Pause between two nodes of the survey, in place of the stored one.
    pub survey_delay: Option<Milliseconds>,
    /// Pause between two operations, in place of the stored one.
    pub action_delay: Option<Milliseconds>,
    /// Receives the progress.
    pub progress: Option<Progress>,
}

impl Colony {
    /// What a cycle would do now. Nothing is written or changed.
    pub async fn plan(&self, options: &CycleOptions) -> Result<(Snapshot, Plan), ColonyError> {
        let observation = self.look(options).await?;
        let plan = decide(&observation.snapshot);
        Ok((observation.snapshot, plan))
    }

    /// One cycle.
    pub async fn cycle(&mut self, options: &CycleOptions) -> Result<CycleReport, ColonyError> {
        let snapshot = self.look_and_record(options).await?;
        let plan = decide(&snapshot);
        self.carry_out(snapshot, plan, options).await
    }

    /// Looks at everything and records what was seen.
    pub(super) async fn look_and_record(
        &mut self,
        options: &CycleOptions,
    ) -> Result<Snapshot, ColonyError> {
        let mut observation = self.look(options).await?;
        self.keep_storage_marked(&observation.snapshot)?;
        self.leave_out_what_was_told(&mut observation).await?;
        self.store
            .record(&changes_after_looking(&observation))
            .await?;
        Ok(observation.snapshot)
    }

    /// Acts on a plan and reports.
    pub(super) async fn carry_out(
        &mut self,
        snapshot: Snapshot,
        plan: Plan,
        options: &CycleOptions,
    ) -> Result<CycleReport, ColonyError> {
        if let Some(progress) = &options.progress {
            progress(ProgressEvent::Begun(&plan.steps));
        }
        let mut machine_results = self.prepare(&snapshot, &plan).await?;
        let ensured = self.ensure_containers(&snapshot, &plan).await?;
        let mut executor = self.executor(options);
        executor.closed = ensured.closed;
        machine_results.extend(ensured.results);
        let Execution { results } = executor.execute(&snapshot, &plan.steps).await?;
        // What was seen is recorded; only steps make more of it.
        let nodes = if plan.steps.is_empty() {
            snapshot.nodes.clone()
        } else {
            self.store.nodes().await?
        };
        Ok(CycleReport {
            format: CYCLE_REPORT_FORMAT,
            status: CycleStatus::of(plan.kind, &snapshot, &machine_results, &results),
            nodes,
            snapshot,
            plan,
            machine_results,
            results,
        })
    }

    pub(super) async fn look(&self, options: &CycleOptions) -> Result<Observation, ColonyError> {
        if let Some(missing) = &self.missing_manager {
            return Err(missing.clone().into());
        }
        let last = self.store.cycle_state().await?;
        let observer = Observer {
            manager: self.manager.as_ref(),
            program: self.environment.program.as_ref(),
            nodes_probe: self.environment.nodes.as_ref(),
            machine_probe: self.environment.machine.as_ref(),
            machine: self.machine.clone(),
            state: self.store.machine_state().await?,
            nodes: self.store.nodes().await?,
            last_container: self.store.containers().await?.last().map(|last| last.id),
            last_boot: last.boot_id,
            // Counters that a later program wrote in another shape are as good as none.
            counters: last
                .counters
                .and_then(|counters| serde_json::from_value(counters).ok()),
            upgrades_enabled: options.upgrades_enabled,
            survey_delay: options.survey_delay.unwrap_or(self.machine.pacing.survey),
            now: self.environment.clock.now(),
        };
        Ok(observer.observe().await?)
    }

    /// A foreign listener is seen in every cycle for as long as it is there. The journal has it once a day.
    async fn leave_out_what_was_told(
        &self,
        observation: &mut Observation,
    ) -> Result<(), ColonyError> {
        let lasts = |seen: &NodeChange| matches!(seen, NodeChange::ForeignListener { .. });
        let Some((_, lasting)) = observation.seen.iter().find(|(_, seen)| lasts(seen)) else {
            return Ok(());
        };
        let since = observation.snapshot.taken_at.minus(TOLD_AGAIN_AFTER);
        let told = self.store.nodes_with(lasting.as_str(), since).await?;
        observation
            .seen
            .retain(|(id, seen)| !(lasts(seen) && told.contains(id)));
        Ok(())
    }

    fn executor(&self, options: &CycleOptions) -> Executor {
        Executor {
            manager: self.manager.clone(),
            program: self.environment.program.clone(),
            store: self.store.clone(),
            clock: self.environment.clock.clone(),
            paths: self.paths.clone(),
            owner: self.owner.clone(),
            action_delay: options.action_delay.unwrap_or(self.machine.pacing.action),
            closed: BTreeMap::new(),
            progress: options.progress.clone(),
        }
    }

    /// A colony of the Python wnm has no mark in its storage. It gets one as soon as a node's directory is
    /// seen there, which proves that the right disk is mounted.
    fn keep_storage_marked(&self, snapshot: &Snapshot) -> Result<(), ColonyError> {
        let storage = &self.machine.node_storage;
        let present = snapshot
            .nodes
            .iter()
            .any(|n| n.root_dir.starts_with(storage) && n.root_dir.is_dir());
        if !present {
            return Ok(());
        }
        mark_storage(storage).map_err(|source| ColonyError::Storage {
            path: storage.clone(),
            source,
        })
    }
}

/// Everything seen, for one transaction.
fn changes_after_looking(observation: &Observation) -> Changes {
    let now = observation.snapshot.taken_at;
    let mut events: Vec<Event> = observation
        .seen
        .iter()
        .map(|(id, seen)| seen_event(*id, seen, now))
        .collect();
    if observation.snapshot.rebooted {
        let reason = format!(
            "the machine came up at {}",
            observation.snapshot.load.boot_time
        );
        events.push(Event::new(now, EventKind::Rebooted, Outcome::Seen, reason));
    }
    if let Some(error) = &observation.container_error {
        tracing::warn!(error, "cannot observe the containers");
        let kind = EventKind::Containers;
        events.push(Event::new(now, kind, Outcome::Failed, error.clone()));
    }
    Changes {
        nodes: observation.snapshot.nodes.clone(),
        containers: observation.containers.clone(),
        events,
        cycle: Some(CycleState {
            boot_id: Some(observation.boot_id.clone()),
            counters: serde_json::to_value(&observation.counters).ok(),
            load: Some(observation.snapshot.load),
            last_cycle_at: Some(now),
        }),
        prune_events_before: Some(now.minus(JOURNAL_KEPT)),
        ..Changes::default()
    }
}

fn seen_event(id: NodeId, seen: &NodeChange, at: UnixTime) -> Event {
    let kind = EventKind::NodeChange(seen.clone());
    Event::new(at, kind, Outcome::Seen, seen.to_string()).about(id)
}
