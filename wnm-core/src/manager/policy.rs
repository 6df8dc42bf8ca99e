use serde::{Deserialize, Serialize};

use crate::numbering::IdPolicy;

/// Facts about a manager that others act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagerPolicy {
    /// How new nodes are numbered.
    pub ids: IdPolicy,
    /// Which operations may overlap.
    pub lanes: LanePolicy,
    /// Whether the supervisor itself restarts a node that died.
    pub restarts_crashed: bool,
    /// Most nodes per call of an act. More than one for a supervisor to which many cost hardly more than one.
    #[serde(default = "one")]
    pub batch: usize,
    /// Where the nodes' directories are.
    #[serde(default)]
    pub data: DataLocation,
    /// Who holds the ports of a node that is not there yet.
    #[serde(default)]
    pub ports: PortHolder,
    /// Whether [`prepare`](super::ProcessManager::prepare) opens ports.
    #[serde(default)]
    pub opens_ports: bool,
    /// Containers that there are even without nodes; 0 for a manager without containers.
    #[serde(default)]
    pub min_containers: u32,
}

const fn one() -> usize {
    1
}

/// A supervisor of plain processes: one node per call, everything on this machine, no restarts.
impl Default for ManagerPolicy {
    fn default() -> Self {
        Self {
            ids: IdPolicy::FillHoles,
            lanes: LanePolicy::PerNode,
            restarts_crashed: false,
            batch: one(),
            data: DataLocation::default(),
            ports: PortHolder::default(),
            opens_ports: false,
            min_containers: 0,
        }
    }
}

/// Operations in one lane happen in order; lanes run concurrently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LanePolicy {
    /// A lane per node.
    PerNode,
    /// A lane per container.
    PerContainer,
    /// One lane for all: the supervisor bears one caller at a time.
    Single,
}

/// Where the nodes' directories are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataLocation {
    /// On this machine: a node whose directory is gone is dead.
    #[default]
    Local,
    /// Elsewhere, or nowhere: a directory that this machine lacks says nothing about the node.
    Elsewhere,
}

/// Who holds the ports of a node that is not there yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortHolder {
    /// Nobody: the node binds them when it starts, so anything else may have taken them.
    #[default]
    Node,
    /// The container engine, which publishes the ports of a whole container.
    Engine,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_of_an_older_snapshot_reads_with_defaults() {
        let old = r#"{"ids": "fill-holes", "lanes": "per-node", "restarts_crashed": false}"#;
        let policy: ManagerPolicy = serde_json::from_str(old).unwrap();
        assert_eq!(policy, ManagerPolicy::default());
    }
}
