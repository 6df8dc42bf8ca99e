use async_trait::async_trait;
use thiserror::Error;

use crate::ports::Port;

/// Ports of one node, or of several in a row, that the network must reach (UDP).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// First port.
    pub first: Port,
    /// Last port, itself included.
    pub last: Port,
    /// Who it is for; kept as the rule's comment where the firewall has comments.
    pub comment: String,
}

/// Why a firewall did not do what was asked.
#[derive(Debug, Error)]
#[error("firewall: {0}")]
pub struct FirewallError(pub String);

/// Lets the network reach a node's port, and no longer.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait Firewall: Send + Sync {
    /// Opens; opening what is open succeeds.
    async fn open(&self, ports: &Opening) -> Result<(), FirewallError>;

    /// Closes; closing what is closed succeeds.
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
