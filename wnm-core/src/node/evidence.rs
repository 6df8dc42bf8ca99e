use semver::Version;
use serde::{Deserialize, Serialize};

use crate::node::NodeMeasurements;

/// What a supervisor says of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessState {
    /// A process runs.
    Running {
        /// Its number, where the supervisor is to be believed about it.
        pid: Option<u32>,
    },
    /// The service is there, no process runs.
    Stopped,
    /// The service does not exist.
    Missing,
    /// It did not say, for this reason.
    Unknown(String),
}

/// What a node said of itself in one survey.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeReport {
    /// Its version.
    pub version: Option<Version>,
    /// Its name in the network.
    pub peer_id: Option<String>,
    /// Its figures.
    pub measured: NodeMeasurements,
}

/// What came of asking one node.
#[derive(Debug, Clone, PartialEq)]
pub enum ProbeResult {
    /// It answered as a node.
    Answered(Box<NodeReport>),
    /// Nothing listens there.
    Refused,
    /// Something is there that did not answer as a node does, for this reason.
    Silent(String),
}

/// What was found where a node's data should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataState {
    /// The directory is there.
    Present,
    /// It is gone, and the storage it was in is there.
    Gone,
    /// Nobody can say: the storage itself is missing (a disk that is not mounted), or cannot be read.
    Unknown,
}

/// Everything seen of one node.
#[derive(Debug, Clone)]
pub struct NodeEvidence {
    /// What its supervisor says.
    pub process: ProcessState,
    /// What itself says; `None` when it was not asked.
    pub probe: Option<ProbeResult>,
    /// Its directory.
    pub root: DataState,
}
