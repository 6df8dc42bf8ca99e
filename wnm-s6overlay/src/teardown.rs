//! Removes all nodes, and then their containers.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};
use wnm_core::container::ContainerNetwork;
use wnm_core::manager::{ManagerError, Reset};
use wnm_core::node::Node;

use crate::S6Overlay;
use crate::containers::{ContainerState, FoundContainer};
use crate::scripts::Script;

/// How long a container without nodes may take to exit by itself.
const EXIT_TIMEOUT: Duration = Duration::from_secs(20);

/// How many containers to remove at once.
const CONCURRENCY: usize = 8;

#[async_trait]
impl Reset for S6Overlay {
    async fn remove_everything(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        let mut result = Ok(());
        for outcome in self.remove_nodes(nodes).await {
            result = result.and(outcome);
        }
        // If a node is left, keep all containers, so that a person can inspect them and retry.
        result?;
        let containers = self.containers().await?;
        let mut removals = stream::iter(containers.into_values())
            .map(|found| async move { self.remove_container(&found).await })
            .buffer_unordered(CONCURRENCY);
        let mut result = Ok(());
        while let Some(outcome) = removals.next().await {
            result = result.and(outcome);
        }
        result
    }
}

impl S6Overlay {
    /// Ends the command of a container, waits until the container has exited, and removes it. Removes it by force
    /// if it does not exit.
    async fn remove_container(&self, found: &FoundContainer) -> Result<(), ManagerError> {
        let name = found.id.to_string();
        if found.state == ContainerState::Running {
            let exited = match self
                .run_script(found.id, Script::EndContainer, Vec::new())
                .await
            {
                Ok(_) => self.engine.wait_for_exit(&name, EXIT_TIMEOUT).await,
                Err(error) => Err(error),
            };
            if let Err(error) = exited {
                tracing::warn!(container = name, %error, "the container did not exit by itself");
            }
        }
        self.engine.remove(&name).await?;
        if found.network == ContainerNetwork::Host {
            let closed = self
                .context
                .firewall
                .close(&self.port_opening(found.id)?)
                .await;
            closed.map_err(|error| {
                ManagerError::firewall(format!("closing ports of container {name}"), error)
            })?;
        }
        Ok(())
    }
}
