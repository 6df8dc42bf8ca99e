use serde::{Deserialize, Serialize};

/// What a node last said of itself. Zero where it said nothing; a stopped node keeps the last figures that
/// do not describe a running process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeMeasurements {
    /// Records it stores.
    pub records: u64,
    /// Seconds since it came up.
    pub uptime: u64,
    /// Peers of its close group that shun it.
    pub shunned: u64,
    /// Peers connected now.
    pub connected_peers: u64,
    /// Records handed out.
    pub gets: u64,
    /// Records accepted.
    pub puts: u64,
    /// Memory it says it uses, in megabytes.
    pub memory_mb: f64,
    /// Processor share it says it uses, in percent of one core.
    pub cpu_percent: f64,
    /// Connections open now.
    pub open_connections: u64,
    /// Peers in its routing table.
    pub total_peers: u64,
    /// Peers it considers bad, since it came up.
    pub bad_peers: u64,
    /// Records it is responsible for.
    pub relevant_records: u64,
    /// Records it can hold.
    pub max_records: u64,
    /// Balance of its wallet as it reports it: a whole number that can pass 64 bits.
    pub rewards: Option<String>,
    /// Payments received.
    pub payment_count: u64,
    /// Seconds it has been part of the network.
    pub live_time: u64,
    /// Nodes it estimates the network to have.
    pub network_size: u64,
}

impl NodeMeasurements {
    /// What is left of the figures once the process is gone: what it stored and earned, not what it did.
    pub fn of_a_stopped_node(&self) -> Self {
        Self {
            uptime: 0,
            records: 0,
            shunned: 0,
            connected_peers: 0,
            open_connections: 0,
            total_peers: 0,
            memory_mb: 0.0,
            cpu_percent: 0.0,
            network_size: 0,
            ..self.clone()
        }
    }
}
