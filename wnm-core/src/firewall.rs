//! Lets the network reach the nodes: the trait, and the firewalls that a machine may have.
//!
//! Nodes talk UDP, and that is all that is ever opened. [`SystemFirewall`] is what a machine's setting
//! `firewall` comes to.

mod choice;
mod error;
mod firewalld;
mod nftables;
mod opening;
mod root;
mod rules;
mod system;
mod ufw;

#[cfg(test)]
mod testing;

use async_trait::async_trait;

pub use choice::{FirewallChoice, UnknownFirewall};
pub use error::FirewallError;
pub use opening::Opening;
pub use system::SystemFirewall;

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
