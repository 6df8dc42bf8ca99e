//! Containers that nodes live in: seen to before anything is decided, and recorded.

use std::collections::{BTreeMap, BTreeSet};

use super::{Colony, ColonyError};
use crate::store::Changes;
use wnm_core::decide::{Act, Step};
use wnm_core::event::{Event, EventKind, Outcome};
use wnm_core::id::ContainerId;
use wnm_core::id::NodeId;
use wnm_core::manager::{Housing, LanePolicy, ManagerError};
use wnm_core::node::lifecycle;
use wnm_core::snapshot::{Snapshot, SupervisorState};

impl Colony {
    /// Has the manager see to the containers of the nodes there are, and brings the snapshot up to what came of
    /// it: nodes that went down with their container run again.
    pub(super) async fn house_nodes(&self, snapshot: &mut Snapshot) -> Result<(), ColonyError> {
        let silent = matches!(snapshot.supervisor, SupervisorState::Silent(_));
        if snapshot.policy.lanes != LanePolicy::PerContainer || silent {
            return Ok(());
        }
        let housing = match self.manager.house(&snapshot.nodes, &[]).await {
            Ok(housing) => housing,
            Err(error) => return self.tell_unhoused(error.to_string()).await,
        };
        // Where something is to be added, the steps tell of it.
        for (id, error) in &housing.closed {
            tracing::warn!(container = %id, %error, "a container cannot be used");
        }
        let now = self.environment.clock.now();
        let mut changes = self.changes_of(&housing);
        let returned: BTreeMap<NodeId, bool> = housing
            .returned
            .iter()
            .map(|(id, outcome)| (*id, outcome.is_ok()))
            .collect();
        for node in &mut snapshot.nodes {
            let Some(started) = returned.get(&node.id) else {
                continue;
            };
            lifecycle::returned(node, *started, now);
            changes.nodes.push(node.clone());
        }
        Ok(self.store.record(&changes).await?)
    }

    /// Has the manager see to the containers that new nodes go into. Those that cannot be used are told with
    /// their reasons, so that nothing is begun in them.
    pub(super) async fn house_new(
        &self,
        snapshot: &Snapshot,
        steps: &[Step],
    ) -> Result<BTreeMap<ContainerId, String>, ColonyError> {
        let adding: Vec<NodeId> = steps
            .iter()
            .filter(|step| step.act == Act::Add)
            .map(|step| step.node)
            .collect();
        if snapshot.policy.lanes != LanePolicy::PerContainer || adding.is_empty() {
            return Ok(BTreeMap::new());
        }
        match self.manager.house(&snapshot.nodes, &adding).await {
            Ok(housing) => {
                let changes = self.changes_of(&housing);
                self.store.record(&changes).await?;
                let reasons = housing.closed.into_iter();
                Ok(reasons.map(|(id, why)| (id, why.to_string())).collect())
            }
            Err(error) => {
                let reason = error.to_string();
                self.tell_unhoused(reason.clone()).await?;
                let needed: BTreeSet<ContainerId> = adding
                    .iter()
                    .filter_map(|id| snapshot.policy.ids.container_of(*id))
                    .collect();
                Ok(needed.into_iter().map(|id| (id, reason.clone())).collect())
            }
        }
    }

    async fn tell_unhoused(&self, reason: String) -> Result<(), ColonyError> {
        tracing::warn!(reason, "the containers are not as they should be");
        let changes = Changes {
            events: vec![self.event(EventKind::Containers, Outcome::Failed, reason)],
            ..Changes::default()
        };
        Ok(self.store.record(&changes).await?)
    }

    fn changes_of(&self, housing: &Housing) -> Changes {
        let mut changes = Changes {
            containers: housing.containers.clone(),
            ..Changes::default()
        };
        for id in &housing.opened {
            let reason = format!("container {id} is up");
            changes.events.push(self.event(
                EventKind::Container {
                    container: Some(*id),
                },
                Outcome::Done,
                reason,
            ));
        }
        for (id, error) in &housing.closed {
            let reason = match error {
                // These words begin with it.
                ManagerError::Ports(error) => error.to_string(),
                error => format!("container {id}: {error}"),
            };
            changes.events.push(self.event(
                EventKind::Container {
                    container: Some(*id),
                },
                Outcome::Failed,
                reason,
            ));
        }
        for (id, outcome) in &housing.returned {
            let (outcome, reason) = match outcome {
                Ok(()) => (Outcome::Done, "its container came up anew".to_owned()),
                Err(error) => (
                    Outcome::Failed,
                    format!("its container came up anew: {error}"),
                ),
            };
            changes
                .events
                .push(self.event(EventKind::Returned, outcome, reason).about(*id));
        }
        changes
    }

    fn event(&self, kind: EventKind, outcome: Outcome, reason: String) -> Event {
        Event::new(self.environment.clock.now(), kind, outcome, reason)
    }
}
