//! Removes all nodes at once.

use std::time::Duration;

use async_trait::async_trait;
use wnm_core::fault;
use wnm_core::manager::{ManagerError, Reset};
use wnm_core::node::Node;

use crate::Antctl;
use crate::client::Call;
use crate::registry::{Registry, Service};
use crate::start_stop::STOP;

/// Additional time per service. antctl stops services in sequence; most end at once, and a hung one takes as
/// long as systemd allows.
const PER_SERVICE: Duration = Duration::from_secs(3);

/// How often to try a reset. antctl aborts it if it took a dead node for a running one, and knows better the
/// next time.
const ATTEMPTS: usize = 2;

#[async_trait]
impl Reset for Antctl {
    /// Resets antctl, which also restarts its count, and checks that everything is gone. Removes node by node
    /// instead if a reset would delete services of others or leave some of ours.
    async fn remove_everything(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        let registry = self.client.registry().await?;
        self.check_registry_not_lost(&registry, nodes).await?;
        for node in nodes
            .iter()
            .filter(|node| registry.service_for(node).is_none())
        {
            // A reset does not stop processes that antctl does not know.
            if self.check_not_running(node).await.is_err() {
                return self.remove_each(nodes).await;
            }
        }
        let foreign = foreign(&registry, nodes);
        if !foreign.is_empty() || registry.unreadable > 0 {
            tracing::warn!(
                services = foreign.join(" "),
                "not resetting antctl, which has services that are not wnm's; its numbering continues"
            );
            return self.remove_each(nodes).await;
        }
        let before = registry.services().to_vec();
        let count = u32::try_from(before.len()).unwrap_or(u32::MAX);
        let limit = STOP.saturating_add(PER_SERVICE.saturating_mul(count));
        for _ in 0..ATTEMPTS {
            let call = Call::quiet("reset").arg("--force").limit(limit);
            let result = self.client.run_ok(call).await;
            fault::point("antctl.teardown.called");
            match &result {
                // A reset leaves an empty registry, which must not count as lost.
                Ok(_) => self.client.registry_backup().delete().await?,
                Err(error) => tracing::warn!(%error, "cannot reset antctl"),
            }
            if self.is_gone(&before).await? {
                return self.delete_leftovers(&before, nodes).await;
            }
            if result.is_err_and(|error| error.leaves_it_open()) {
                break;
            }
        }
        self.remove_each(nodes).await
    }
}

impl Antctl {
    /// Whether antctl lists no service, none of the old ones runs, and no unit remains.
    async fn is_gone(&self, before: &[Service]) -> Result<bool, ManagerError> {
        let registry = self.client.registry().await?;
        if !registry.services().is_empty() || registry.unreadable > 0 {
            return Ok(false);
        }
        for service in before {
            if self.units.exists(&service.name) || self.is_running(service).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn delete_leftovers(
        &self,
        before: &[Service],
        nodes: &[Node],
    ) -> Result<(), ManagerError> {
        for service in before {
            self.units.reset_failed(&service.name).await;
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

    async fn remove_each(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        let mut first = Ok(());
        for node in nodes {
            first = first.and(self.remove_node(node).await);
        }
        first
    }
}

/// Names of the services that belong to none of these nodes.
fn foreign(registry: &Registry, nodes: &[Node]) -> Vec<String> {
    let ours: Vec<&str> = nodes
        .iter()
        .filter_map(|node| Some(registry.service_for(node)?.name.as_str()))
        .collect();
    let services = registry.services().iter();
    services
        .filter(|service| !ours.contains(&service.name.as_str()))
        .map(|service| service.name.clone())
        .collect()
}
