use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::intent::{NewNode, intend};
use super::lanes::lanes;
use super::outcome::conclude;
use super::perform::perform;
use crate::clock::Clock;
use crate::decide::{Act, Step};
use crate::event::{Event, Outcome};
use crate::fault;
use crate::ids::IdPolicy;
use crate::machine::{Limits, Machine};
use crate::manager::{Paths, ProcessManager};
use crate::node::{Actor, DesiredState, Node, NodeId, ObservedState, TransitionKind};
use crate::observe::Snapshot;
use crate::program::{NodeBinary, NodeProgram};
use crate::quantity::{Milliseconds, UnixTime};
use crate::store::{Changes, Store, StoreError};

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

/// What became of a plan.
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use = "steps may have failed"]
pub struct Execution {
    /// A result per step, in the order of the plan.
    pub results: Vec<StepResult>,
}

/// Told as steps end; for progress bars.
pub type Progress = Arc<dyn Fn(&StepResult) + Send + Sync>;

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
    /// Told as steps end.
    pub progress: Option<Progress>,
}

/// What the lanes of one execution share.
struct Run {
    executor: Executor,
    machine: Machine,
    binary: Result<NodeBinary, String>,
    ids: IdPolicy,
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
    /// others from being taken; only a store that cannot be written ends everything.
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
        let lanes = lanes(steps, &nodes, snapshot.policy.lanes);
        let run = Arc::new(Run {
            executor: self.clone(),
            machine: snapshot.machine.clone(),
            binary: snapshot.binary.clone(),
            ids: snapshot.policy.ids,
            nodes: Mutex::new(nodes),
            slots: Slots::new(&snapshot.machine.limits),
            next_beginning: Mutex::new(Instant::now()),
        });
        let mut tasks = JoinSet::new();
        for lane in lanes {
            let run = Arc::clone(&run);
            tasks.spawn(async move {
                let mut results = Vec::with_capacity(lane.len());
                for step in lane {
                    results.push(run.step(step).await?);
                }
                Ok::<_, StoreError>(results)
            });
        }
        let mut execution = Execution::default();
        let mut failure = None;
        while let Some(joined) = tasks.join_next().await {
            match joined {
                Ok(Ok(results)) => execution.results.extend(results),
                Ok(Err(error)) => failure = Some(error),
                Err(lost) => tracing::error!(%lost, "a lane ended early"),
            }
        }
        let place = |result: &StepResult| steps.iter().position(|s| s.node == result.step.node);
        execution.results.sort_by_cached_key(place);
        match failure {
            Some(error) => Err(error),
            None => Ok(execution),
        }
    }
}

impl Run {
    async fn step(&self, step: Step) -> Result<StepResult, StoreError> {
        let known = self.nodes.lock().await.get(&step.node).cloned();
        let under_way = known.as_ref().and_then(Node::under_way);
        // Semaphores are never closed, so acquiring cannot fail; a missing permit would only unbind a limit.
        let _all = self.slots.operations.acquire().await;
        let _kind = self.slots.of(step.act, under_way).acquire().await;
        self.pace().await;

        let was_running = known
            .as_ref()
            .is_some_and(|node| node.observed.state == ObservedState::Running);
        let result = match self.intend(known, &step).await? {
            Err(error) => StepResult {
                step,
                outcome: Outcome::Failed,
                error: Some(error),
                was_running,
            },
            Ok(node) => self.take(node, step, was_running).await?,
        };
        if let Some(progress) = &self.executor.progress {
            progress(&result);
        }
        Ok(result)
    }

    /// Records what is wanted. The inner error is a step that cannot even be begun.
    async fn intend(
        &self,
        known: Option<Node>,
        step: &Step,
    ) -> Result<Result<Node, String>, StoreError> {
        let now = self.executor.clock.now();
        let node = match (known, step.act) {
            (Some(node), _) => intend(&node, step, now),
            (None, Act::Add) => match self.new_node(step, now) {
                Ok(node) => node,
                Err(error) => return self.refuse(step, error).await.map(Err),
            },
            (None, _) => {
                return self
                    .refuse(step, format!("there is no node {}", step.node))
                    .await
                    .map(Err);
            }
        };
        let mut changes = Changes {
            nodes: vec![node.clone()],
            ..Changes::default()
        };
        if step.act == Act::Stop
            && step.by == Actor::Wnm
            && node.desired.state == DesiredState::Stopped
        {
            changes.last_stopped_at = Some(now);
        }
        if step.act == Act::Add && self.ids == IdPolicy::GrowOnly {
            changes.highest_id = Some(node.id);
        }
        fault::point("act.before-intent");
        self.executor.store.record(&changes).await?;
        fault::point("act.after-intent");
        Ok(Ok(node))
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

    async fn refuse(&self, step: &Step, error: String) -> Result<String, StoreError> {
        let event = Event {
            at: self.executor.clock.now(),
            node: Some(step.node),
            action: step.act.word().to_owned(),
            outcome: Outcome::Failed,
            reason: error.clone(),
        };
        let changes = Changes {
            events: vec![event],
            ..Changes::default()
        };
        self.executor.store.record(&changes).await?;
        Ok(error)
    }

    async fn take(
        &self,
        node: Node,
        step: Step,
        was_running: bool,
    ) -> Result<StepResult, StoreError> {
        let manager = self.executor.manager.as_ref();
        let performed = perform(manager, &node, &step, self.binary.as_ref()).await;
        let after = conclude(
            &node,
            &step,
            was_running,
            performed,
            self.executor.clock.now(),
        );
        let outcome = after.event.outcome;
        let mut changes = Changes {
            events: vec![after.event],
            ..Changes::default()
        };
        match &after.node {
            Some(node) => changes.nodes.push(node.clone()),
            None => changes.deleted.push(node.id),
        }
        fault::point("act.before-outcome");
        self.executor.store.record(&changes).await?;
        fault::point("act.after-outcome");
        let mut nodes = self.nodes.lock().await;
        match after.node {
            Some(after) => nodes.insert(after.id, after),
            None => nodes.remove(&node.id),
        };
        Ok(StepResult {
            step,
            outcome,
            error: after.error,
            was_running,
        })
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
