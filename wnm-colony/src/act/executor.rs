use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::intent::{NewNode, intend};
use super::lanes::{batches, lanes};
use super::outcome::conclude;
use super::perform::perform;
use crate::store::{Changes, Store, StoreError};
use wnm_core::clock::Clock;
use wnm_core::cycle::StepResult;
use wnm_core::decide::{Act, Step};
use wnm_core::event::{Event, EventKind, EventReason, Outcome};
use wnm_core::fault;
use wnm_core::id::ContainerId;
use wnm_core::id::NodeId;
use wnm_core::machine::{Limits, Machine};
use wnm_core::manager::{LanePolicy, ManagerPolicy, ProcessManager};
use wnm_core::node::{Actor, DesiredState, Node, ObservedState, TransitionKind};
use wnm_core::numbering::IdPolicy;
use wnm_core::paths::Paths;
use wnm_core::program::{NodeBinary, NodeProgram};
use wnm_core::quantity::{Milliseconds, UnixTime};
use wnm_core::snapshot::Snapshot;

/// What became of a plan.
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use = "steps may have failed"]
pub struct Execution {
    /// A result per step, in the order of the plan.
    pub results: Vec<StepResult>,
}

/// The progress of a run.
#[derive(Debug, Clone, Copy)]
pub enum ProgressEvent<'a> {
    /// These steps are about to be taken.
    Begun(&'a [Step]),
    /// Some of them ended, all at once.
    Ended(&'a [StepResult]),
}

/// Receives the progress of a run; for progress bars.
pub type Progress = Arc<dyn Fn(ProgressEvent<'_>) + Send + Sync>;

/// Carries plans out.
#[derive(Clone)]
pub struct Executor {
    /// Who runs the nodes.
    pub manager: Arc<dyn ProcessManager>,
    /// What is run.
    pub program: Arc<dyn NodeProgram>,
    /// Where it is recorded.
    pub store: Arc<Store>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where new nodes go.
    pub paths: Paths,
    /// The account new nodes run under.
    pub owner: String,
    /// Least time between the beginnings of two operations.
    pub action_delay: Milliseconds,
    /// Containers that cannot be used, and why: no node in one of them is brought up.
    pub closed: BTreeMap<ContainerId, String>,
    /// Receives the progress.
    pub progress: Option<Progress>,
}

/// What the lanes of one execution share.
struct Run {
    executor: Executor,
    machine: Machine,
    binary: Result<NodeBinary, String>,
    policy: ManagerPolicy,
    nodes: Mutex<BTreeMap<NodeId, Node>>,
    slots: Slots,
    next_beginning: Mutex<Instant>,
}

/// At most so many operations of each kind, and in all.
struct Slots {
    upgrades: Semaphore,
    starts: Semaphore,
    removals: Semaphore,
    operations: Semaphore,
}

impl Slots {
    fn new(limits: &Limits) -> Self {
        let slots = |count: u32| Semaphore::new(count.max(1) as usize);
        Self {
            upgrades: slots(limits.upgrades),
            starts: slots(limits.starts),
            removals: slots(limits.removals),
            operations: slots(limits.operations),
        }
    }

    fn of(&self, act: Act, under_way: Option<TransitionKind>) -> &Semaphore {
        match (act, under_way) {
            (Act::Upgrade, _) | (Act::Resume, Some(TransitionKind::Upgrading)) => &self.upgrades,
            (Act::Add | Act::Start { .. }, _)
            | (Act::Resume, Some(TransitionKind::Adding | TransitionKind::Starting)) => {
                &self.starts
            }
            _ => &self.removals,
        }
    }
}

impl Executor {
    /// Carries out the steps of a plan that was decided on `snapshot`. A step that fails does not keep the
    /// others from being taken; only a store that cannot be written ends everything. A manager that panics fails
    /// the steps that are left in its lane.
    pub async fn execute(
        &self,
        snapshot: &Snapshot,
        steps: &[Step],
    ) -> Result<Execution, StoreError> {
        let nodes: BTreeMap<NodeId, Node> = snapshot
            .nodes
            .iter()
            .map(|node| (node.id, node.clone()))
            .collect();
        // With a pause between any two operations none can share its beginning with another.
        let most = match self.action_delay {
            Milliseconds(0) => snapshot.policy.batch.max(1),
            _ => 1,
        };
        let lanes = lanes(steps, &nodes, &snapshot.policy);
        let run = Arc::new(Run {
            executor: self.clone(),
            machine: snapshot.machine.clone(),
            binary: snapshot.binary.clone(),
            policy: snapshot.policy.clone(),
            nodes: Mutex::new(nodes),
            slots: Slots::new(&snapshot.machine.limits),
            next_beginning: Mutex::new(Instant::now()),
        });
        let lanes: Vec<Vec<Vec<Step>>> = {
            let nodes = run.nodes.lock().await;
            let cut = |lane| batches(lane, &nodes, most);
            lanes.into_iter().map(cut).collect()
        };
        let mut tasks = JoinSet::new();
        let mut under_way: HashMap<Id, Lane> = HashMap::new();
        for batches in lanes {
            let steps = batches.iter().flatten().cloned().collect();
            let results = Arc::new(Mutex::new(Vec::new()));
            let task = tasks.spawn(Arc::clone(&run).lane(batches, Arc::clone(&results)));
            under_way.insert(task.id(), Lane { steps, results });
        }
        let mut execution = Execution::default();
        let mut failure = None;
        while let Some(joined) = tasks.join_next_with_id().await {
            let (id, ended) = match joined {
                Ok((id, ended)) => (id, Ok(ended)),
                Err(lost) => (lost.id(), Err(lost)),
            };
            let Some(lane) = under_way.remove(&id) else {
                continue;
            };
            let mut results = std::mem::take(&mut *lane.results.lock().await);
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(error)) => failure = Some(error),
                Err(lost) => {
                    let left = lane.steps.get(results.len()..).unwrap_or_default();
                    let failed = run.panicked(left, &panic_text(lost)).await;
                    results.extend(failed.unwrap_or_else(|error| {
                        failure = Some(error);
                        Vec::new()
                    }));
                }
            }
            execution.results.extend(results);
        }
        let places: HashMap<NodeId, usize> = steps
            .iter()
            .enumerate()
            .map(|(place, step)| (step.node, place))
            .collect();
        let place = |result: &StepResult| places.get(&result.step.node).copied();
        execution.results.sort_by_key(place);
        match failure {
            Some(error) => Err(error),
            None => Ok(execution),
        }
    }
}

/// A lane under way.
struct Lane {
    /// Its steps, in order.
    steps: Vec<Step>,
    /// The results so far.
    results: Arc<Mutex<Vec<StepResult>>>,
}

impl Run {
    /// Takes the batches of a lane, one after the other.
    async fn lane(
        self: Arc<Self>,
        batches: Vec<Vec<Step>>,
        results: Arc<Mutex<Vec<StepResult>>>,
    ) -> Result<(), StoreError> {
        for batch in batches {
            let ended = self.batch(batch).await?;
            results.lock().await.extend(ended);
        }
        Ok(())
    }

    /// Fails the steps that a panic left in a lane. The record of a step that was begun stays as it is, so the
    /// next cycle resumes it.
    async fn panicked(&self, left: &[Step], text: &str) -> Result<Vec<StepResult>, StoreError> {
        tracing::error!(text, "a manager panicked");
        let nodes = self.nodes.lock().await;
        let at = self.executor.clock.now();
        let (mut events, mut results) = (Vec::new(), Vec::new());
        for step in left {
            let known = nodes.get(&step.node);
            let reason = EventReason::Step {
                reason: step.reason.clone(),
                error: Some(text.to_owned()),
            };
            let kind = EventKind::of_step(step, known);
            events.push(Event::new(at, kind, Outcome::Failed, reason).about(step.node));
            results.push(StepResult {
                step: step.clone(),
                outcome: Outcome::Failed,
                error: Some(text.to_owned()),
                was_running: known
                    .is_some_and(|node| node.observed().state == ObservedState::Running),
            });
        }
        drop(nodes);
        let changes = Changes {
            events,
            ..Changes::default()
        };
        self.executor.store.record(&changes).await?;
        if let Some(progress) = &self.executor.progress {
            progress(ProgressEvent::Ended(&results));
        }
        Ok(results)
    }

    /// Takes the steps of a batch together: what is wanted of all is recorded at once, the manager is called
    /// once, and what came of all is recorded at once.
    async fn batch(&self, batch: Vec<Step>) -> Result<Vec<StepResult>, StoreError> {
        let Some(first) = batch.first() else {
            return Ok(Vec::new());
        };
        let known: Vec<Option<Node>> = {
            let nodes = self.nodes.lock().await;
            batch
                .iter()
                .map(|step| nodes.get(&step.node).cloned())
                .collect()
        };
        let _place = self
            .place(first.act, known.first().and_then(Option::as_ref))
            .await;
        self.pace().await;

        let (begun, mut results) = self.intend(batch, known).await?;
        results.extend(self.take(begun).await?);
        if let Some(progress) = &self.executor.progress {
            progress(ProgressEvent::Ended(&results));
        }
        Ok(results)
    }

    /// A place among the operations under way. Where lanes are containers, each of them is one operation at a
    /// time already, and the plan saw to the number of nodes.
    async fn place(&self, act: Act, node: Option<&Node>) -> Option<[SemaphorePermit<'_>; 2]> {
        if self.policy.lanes == LanePolicy::PerContainer {
            return None;
        }
        // Semaphores are never closed, so acquiring cannot fail; a missing permit would only unbind a limit.
        let all = self.slots.operations.acquire().await.ok()?;
        let under_way = node.and_then(Node::under_way);
        let kind = self.slots.of(act, under_way).acquire().await.ok()?;
        Some([all, kind])
    }

    /// Records what is wanted. Steps that cannot even be begun have their results at once.
    async fn intend(
        &self,
        batch: Vec<Step>,
        known: Vec<Option<Node>>,
    ) -> Result<(Vec<Begun>, Vec<StepResult>), StoreError> {
        let now = self.executor.clock.now();
        let mut changes = Changes::default();
        let (mut begun, mut refused) = (Vec::new(), Vec::new());
        for (step, known) in batch.into_iter().zip(known) {
            let was_running = known
                .as_ref()
                .is_some_and(|node| node.observed().state == ObservedState::Running);
            match self.intended(known, &step, now) {
                Ok(node) => {
                    note(&mut changes, &node, &step, self.policy.ids, now);
                    begun.push(Begun {
                        node,
                        step,
                        was_running,
                    });
                }
                Err(error) => {
                    changes.events.push(refused_event(&step, &error, now));
                    refused.push(StepResult {
                        step,
                        outcome: Outcome::Failed,
                        error: Some(error),
                        was_running,
                    });
                }
            }
        }
        fault::point("act.before-intent");
        self.executor.store.record(&changes).await?;
        fault::point("act.after-intent");
        Ok((begun, refused))
    }

    fn intended(&self, known: Option<Node>, step: &Step, now: UnixTime) -> Result<Node, String> {
        let container = known.as_ref().and_then(|node| node.container);
        let container = container.or_else(|| self.policy.ids.container_of(step.node));
        let closed = container.and_then(|id| self.executor.closed.get(&id));
        if let Some(reason) = closed.filter(|_| brings_up(step.act, known.as_ref())) {
            return Err(reason.clone());
        }
        match (known, step.act) {
            (Some(node), _) => Ok(intend(&node, step, now)),
            (None, Act::Add) => self.new_node(step, now),
            (None, _) => Err(format!("there is no node {}", step.node)),
        }
    }

    fn new_node(&self, step: &Step, now: UnixTime) -> Result<Node, String> {
        let binary = self.binary.as_ref().map_err(String::clone)?;
        let new = NewNode {
            machine: &self.machine,
            paths: &self.executor.paths,
            program: self.executor.program.as_ref(),
            binary,
            owner: &self.executor.owner,
            ticket: fastrand::u64(..),
        };
        new.record(step.node, step.by, now)
            .map_err(|error| error.to_string())
    }

    async fn take(&self, begun: Vec<Begun>) -> Result<Vec<StepResult>, StoreError> {
        if begun.is_empty() {
            return Ok(Vec::new());
        }
        let manager = self.executor.manager.as_ref();
        let work: Vec<(Node, Step)> = begun
            .iter()
            .map(|begun| (begun.node.clone(), begun.step.clone()))
            .collect();
        let performed = perform(manager, &work, self.binary.as_ref()).await;
        let now = self.executor.clock.now();
        let mut changes = Changes::default();
        let mut results = Vec::with_capacity(begun.len());
        for (begun, performed) in begun.into_iter().zip(performed) {
            let Begun {
                node,
                step,
                was_running,
            } = begun;
            let after = conclude(&node, &step, was_running, performed, now);
            results.push(StepResult {
                step,
                outcome: after.event.outcome,
                error: after.error,
                was_running,
            });
            changes.events.push(after.event);
            match after.node {
                Some(after) => changes.nodes.push(after),
                None => changes.deleted.push(node.id),
            }
        }
        fault::point("act.before-outcome");
        self.executor.store.record(&changes).await?;
        fault::point("act.after-outcome");
        let mut nodes = self.nodes.lock().await;
        nodes.extend(changes.nodes.into_iter().map(|node| (node.id, node)));
        for id in &changes.deleted {
            nodes.remove(id);
        }
        Ok(results)
    }

    /// Waits for this operation's turn. The first begins at once.
    async fn pace(&self) {
        let delay = self.executor.action_delay.duration();
        if delay.is_zero() {
            return;
        }
        let beginning = {
            let mut next = self.next_beginning.lock().await;
            let beginning = (*next).max(Instant::now());
            *next = beginning + delay;
            beginning
        };
        tokio::time::sleep_until(beginning).await;
    }
}

/// The event of a step that could not be begun.
fn refused_event(step: &Step, error: &str, now: UnixTime) -> Event {
    let kind = EventKind::of_step(step, None);
    Event::new(now, kind, Outcome::Failed, error).about(step.node)
}

/// A step whose intention is on record.
struct Begun {
    node: Node,
    step: Step,
    was_running: bool,
}

/// Whether a step needs the node's container.
fn brings_up(act: Act, node: Option<&Node>) -> bool {
    match act {
        Act::Add | Act::Start { .. } | Act::Upgrade => true,
        Act::Resume => !matches!(
            node.and_then(Node::under_way),
            Some(TransitionKind::Stopping | TransitionKind::Removing)
        ),
        Act::Stop | Act::Disable | Act::Remove | Act::Forget => false,
    }
}

/// What a panic said, as the error of a step.
fn panic_text(lost: JoinError) -> String {
    let Ok(panic) = lost.try_into_panic() else {
        return "the operation was cancelled".to_owned();
    };
    let text = match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(other) => match other.downcast::<&'static str>() {
            Ok(text) => (*text).to_owned(),
            Err(_) => "for an unknown reason".to_owned(),
        },
    };
    format!("the manager panicked: {text}")
}

/// Adds an intention to what is recorded.
fn note(changes: &mut Changes, node: &Node, step: &Step, ids: IdPolicy, now: UnixTime) {
    let stopped = node.desired().state == DesiredState::Stopped;
    if step.act == Act::Stop && step.by == Actor::Wnm && stopped {
        changes.last_stopped_at = Some(now);
    }
    if step.act == Act::Add && ids == IdPolicy::GrowOnly {
        changes.highest_id = changes.highest_id.max(Some(node.id));
    }
    changes.nodes.push(node.clone());
}
