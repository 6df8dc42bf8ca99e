//! Lets the network reach the nodes: the trait, and the firewalls that a machine may have.
//!
//! Nodes talk UDP, and that is all that is ever opened. [`SystemFirewall`] is what a machine's setting
//! `firewall` comes to.

mod choice;
mod error;
mod firewalld;
mod nftables;
mod root;
mod system;
mod ufw;

#[cfg(test)]
mod testing;

use async_trait::async_trait;

pub use choice::{FirewallChoice, UnknownFirewall};
pub use error::FirewallError;
pub use system::SystemFirewall;

use crate::node::Node;
use crate::ports::Port;

/// Most bytes of a comment: nftables takes 128 with what is put in front of it.
const MAX_COMMENT: usize = 100;

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

impl Opening {
    /// The port of one node.
    pub fn of(node: &Node) -> Self {
        Self {
            first: node.ports.node,
            last: node.ports.node,
            comment: node.id.directory_name(),
        }
    }

    /// The port, or first and last with what the firewall at hand puts in between.
    fn ports(&self, between: char) -> String {
        if self.first == self.last {
            self.first.to_string()
        } else {
            format!("{}{between}{}", self.first, self.last)
        }
    }

    /// It becomes part of a rule that root adds, so that it may say nothing but what it is meant to.
    fn check(&self) -> Result<(), FirewallError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
        let fault = if self.first > self.last {
            "its first port is behind its last"
        } else if !(1..=MAX_COMMENT).contains(&self.comment.len()) {
            "its comment is empty or too long"
        } else if !self.comment.bytes().all(plain) {
            "its comment may have letters, digits, '.', '-' and '_' only"
        } else {
            return Ok(());
        };
        Err(FirewallError::BadOpening {
            opening: self.clone(),
            fault,
        })
    }
}

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

#[cfg(test)]
mod tests {
    use super::testing::opening;

    #[test]
    fn nothing_but_a_plain_comment_gets_into_a_rule() {
        for comment in ["antnode0001", "a2_55201-55400", "x.y"] {
            assert!(opening(1, 2, comment).check().is_ok(), "{comment}");
        }
        for comment in ["", "a b", "a'", "a\"", "a;b", "a\nb", "é", &"a".repeat(101)] {
            assert!(opening(1, 2, comment).check().is_err(), "{comment}");
        }
        let error = opening(2, 1, "antnode0001").check().unwrap_err();
        insta::assert_snapshot!(error, @"firewall: ports 2 to 1 for 'antnode0001' are not opened: its first port is behind its last");
    }
}
