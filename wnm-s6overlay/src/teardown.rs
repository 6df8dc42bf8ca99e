//! Everything gone: first the nodes, then their containers.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use wnm_core::container::ContainerNetwork;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;

use crate::S6Overlay;
use crate::containers::{Found, Phase};
use crate::scripts::Script;

/// How long a container without nodes may take to end by itself.
const END: Duration = Duration::from_secs(20);

/// Containers that are ended at once.
const AT_ONCE: usize = 8;

impl S6Overlay {
    pub(crate) async fn take_down(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        let mut first = Ok(());
        for outcome in self.take_away(nodes).await {
            first = first.and(outcome);
        }
        // Containers with nodes that are left stay, too: what is left can be looked at, and tried again.
        first?;
        let containers = self.containers().await?;
        let mut ending = stream::iter(containers.into_values())
            .map(|found| async move { self.end_container(&found).await })
            .buffer_unordered(AT_ONCE);
        let mut first = Ok(());
        while let Some(outcome) = ending.next().await {
            first = first.and(outcome);
        }
        first
    }

    /// Ends the command of a container, which ends it, and removes it. One that does not end is ended.
    async fn end_container(&self, found: &Found) -> Result<(), ManagerError> {
        let name = found.id.to_string();
        if found.state == Phase::Running {
            let ended = match self.run(found.id, Script::HangUp, Vec::new()).await {
                Ok(_) => self.engine.ended(&name, END).await,
                Err(error) => Err(error),
            };
            if let Err(error) = ended {
                tracing::warn!(container = name, %error, "it did not end by itself");
            }
        }
        self.engine.remove(&name).await?;
        if found.network == ContainerNetwork::Host {
            let closed = self.context.firewall.close(&self.range(found.id)?).await;
            closed.map_err(|error| {
                ManagerError::firewall(format!("closing ports of container {name}"), error)
            })?;
        }
        Ok(())
    }
}
