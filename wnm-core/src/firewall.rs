//! Lets the network reach the nodes. Nodes talk UDP, and nothing else is ever opened.

mod error;
mod opening;

use async_trait::async_trait;

pub use error::FirewallError;
pub use opening::Opening;

/// Lets the network reach the ports of nodes, and no longer.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait Firewall: Send + Sync {
    /// Opens, ports in a row by one rule; opening what is open succeeds.
    async fn open(&self, ports: &Opening) -> Result<(), FirewallError>;

    /// Closes, also a part of what was opened by one rule: the rest stays open throughout. Closing what is
    /// closed succeeds.
    async fn close(&self, ports: &Opening) -> Result<(), FirewallError>;
}

/// For machines without a firewall of their own.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFirewall;

#[async_trait]
impl Firewall for NoFirewall {
    async fn open(&self, _: &Opening) -> Result<(), FirewallError> {
        Ok(())
    }

    async fn close(&self, _: &Opening) -> Result<(), FirewallError> {
        Ok(())
    }
}
