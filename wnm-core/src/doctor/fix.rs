use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Finding;
use crate::id::NodeId;

/// What can be repaired without a person, since it touches no node and no data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fix {
    /// The service of a node is written again. It is not started.
    RestoreService(NodeId),
    /// The lock file of the Python wnm is deleted.
    RemovePythonLock(PathBuf),
}

impl Finding {
    /// What repairs it without a person. `None` where a person has to decide.
    pub fn fix(&self) -> Option<Fix> {
        match self {
            Self::ServiceMissing {
                id,
                restorable: true,
            } => Some(Fix::RestoreService(*id)),
            Self::PythonLockStale { path, .. } => Some(Fix::RemovePythonLock(path.clone())),
            _ => None,
        }
    }
}
