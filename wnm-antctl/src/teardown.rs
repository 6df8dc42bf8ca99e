//! Everything gone at once.

use std::time::Duration;

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;

use crate::Antctl;
use crate::caller::Call;
use crate::registry::{Registry, Service};
use crate::running::STOP;

/// antctl stops one service after the other; most end at once, and one that hangs takes as long as systemd lets it.
const PER_SERVICE: Duration = Duration::from_secs(3);

/// A reset is tried again: antctl gives it up when it took a dead node for a running one, which it then knows better.
const TRIES: usize = 2;

impl Antctl {
    /// Resets antctl, which also lets its numbers begin anew, and looks whether everything is gone. What a reset would
    /// take along of others, or leaves of ours, is a reason to remove node by node.
    pub(crate) async fn take_all_away(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        let registry = self.caller.registry().await?;
        self.check_not_lost(&registry, nodes).await?;
        for node in nodes.iter().filter(|node| registry.of(node).is_none()) {
            // What antctl does not know of it does not end.
            if self.check_nothing_runs(node).await.is_err() {
                return self.one_by_one(nodes).await;
            }
        }
        let others = others(&registry, nodes);
        if !others.is_empty() || registry.unreadable > 0 {
            tracing::warn!(
                services = others.join(" "),
                "antctl has services that wnm does not know, so it is not reset and its numbers go on"
            );
            return self.one_by_one(nodes).await;
        }
        let before = registry.services().to_vec();
        let count = u32::try_from(before.len()).unwrap_or(u32::MAX);
        let limit = STOP.saturating_add(PER_SERVICE.saturating_mul(count));
        for _ in 0..TRIES {
            let call = Call::quiet("reset").arg("--force").within(limit);
            let called = self.caller.act(call).await;
            fault::point("antctl.teardown.called");
            match &called {
                // A reset leaves an empty registry, which is not one that was lost.
                Ok(_) => self.caller.spare().forget().await?,
                Err(error) => tracing::warn!(%error, "a reset of antctl did not succeed"),
            }
            if self.is_gone(&before).await? {
                return self.delete_rest(&before, nodes).await;
            }
            if called.is_err_and(|error| error.leaves_it_open()) {
                break;
            }
        }
        self.one_by_one(nodes).await
    }

    /// Whether antctl has no service any more, nothing of them runs, and no unit is left.
    async fn is_gone(&self, before: &[Service]) -> Result<bool, ManagerError> {
        let registry = self.caller.registry().await?;
        if !registry.services().is_empty() || registry.unreadable > 0 {
            return Ok(false);
        }
        for service in before {
            if self.units.is_there(&service.name) || self.runs(service).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn delete_rest(&self, before: &[Service], nodes: &[Node]) -> Result<(), ManagerError> {
        for service in before {
            self.units.forgive(&service.name).await;
        }
        let mut first = Ok(());
        for node in nodes {
            let deleted = match self.delete_directories(node).await {
                Ok(()) => self.context.close_port(node).await,
                Err(error) => Err(error),
            };
            first = first.and(deleted);
        }
        first
    }

    async fn one_by_one(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        let mut first = Ok(());
        for node in nodes {
            first = first.and(self.take_away(node).await);
        }
        first
    }
}

/// Names of the services that are no node of ours.
fn others(registry: &Registry, nodes: &[Node]) -> Vec<String> {
    let ours: Vec<&str> = nodes
        .iter()
        .filter_map(|node| Some(registry.of(node)?.name.as_str()))
        .collect();
    let services = registry.services().iter();
    services
        .filter(|service| !ours.contains(&service.name.as_str()))
        .map(|service| service.name.clone())
        .collect()
}
