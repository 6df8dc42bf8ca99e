use std::collections::HashMap;

use async_trait::async_trait;

use crate::id::NodeId;
use crate::node::{Node, ProbeResult};

/// Probes nodes that cannot be reached at their metrics ports from this machine: nodes in a network of their own.
#[async_trait]
pub trait InsideProbe: Send + Sync {
    /// The answers of those of `nodes` that only the manager can reach. The observer probes the others itself.
    async fn probe(&self, nodes: &[Node]) -> HashMap<NodeId, ProbeResult>;
}
