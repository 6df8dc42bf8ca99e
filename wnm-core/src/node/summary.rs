use super::{Node, NodeId, Status};

/// What the shortest report shows of a node. A thousand of them are read in a fraction of the time that whole
/// nodes take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSummary {
    /// Its number.
    pub id: NodeId,
    /// What the supervisor calls it.
    pub service: String,
    /// The word that people read.
    pub status: Status,
    /// Its name in the network.
    pub peer_id: Option<String>,
    /// Peers it was connected to when it last said so.
    pub connected_peers: u64,
}

impl From<&Node> for NodeSummary {
    fn from(node: &Node) -> Self {
        Self {
            id: node.id,
            service: node.service.clone(),
            status: node.status(),
            peer_id: node.peer_id.clone(),
            connected_peers: node.measured.connected_peers,
        }
    }
}
