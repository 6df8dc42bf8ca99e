//! The states of many nodes from one list of units.

use std::collections::HashMap;

use wnm_core::id::NodeId;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;

use crate::conversation::Unit;
use crate::unit_of;

/// What nearly all units are called.
const USUAL: &str = "antnode*.service";

/// What to ask for so that the units of these nodes are in the answer: one pattern, and the names of those
/// that are called otherwise.
pub(crate) fn patterns(nodes: &[Node]) -> Vec<String> {
    let mut patterns = vec![USUAL.to_owned()];
    let other = nodes.iter().filter_map(|node| unit_of(node).ok());
    patterns.extend(other.filter(|unit| !unit.starts_with("antnode")));
    patterns
}

/// What the list says of each node.
pub(crate) fn states(
    units: &HashMap<String, Unit>,
    nodes: &[Node],
) -> HashMap<NodeId, ProcessState> {
    nodes
        .iter()
        .map(|node| {
            let state = match unit_of(node) {
                Ok(unit) => state(units.get(&unit)),
                Err(error) => ProcessState::Unknown(error.to_string()),
            };
            (node.id, state)
        })
        .collect()
}

/// What is said of one unit. Ids of processes are in no list; asking for each unit costs a hundred times as much.
pub(crate) fn state(unit: Option<&Unit>) -> ProcessState {
    match unit {
        None => ProcessState::Missing,
        Some(Unit::OnDisk) => ProcessState::Stopped,
        Some(Unit::Loaded { load, active }) => match active.as_str() {
            // One that stops still has its process, and one that waits for its restart is about to have one.
            "active" | "activating" | "deactivating" | "reloading" | "refreshing" => {
                ProcessState::Running { pid: None }
            }
            "inactive" if load == "not-found" => ProcessState::Missing,
            "inactive" | "failed" => ProcessState::Stopped,
            other => ProcessState::Unknown(format!("systemd calls it {other}")),
        },
    }
}

/// Whether nothing of a node runs.
pub(crate) fn is_still(state: &ProcessState) -> bool {
    matches!(state, ProcessState::Stopped | ProcessState::Missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_of_systemd_has_one_of_ours() {
        let of = |load: &str, active: &str| {
            let unit = Unit::Loaded {
                load: load.to_owned(),
                active: active.to_owned(),
            };
            state(Some(&unit))
        };
        let running = ProcessState::Running { pid: None };
        for active in [
            "active",
            "activating",
            "deactivating",
            "reloading",
            "refreshing",
        ] {
            assert_eq!(of("loaded", active), running, "{active}");
            // The unit was deleted and its process is still there.
            assert_eq!(of("not-found", active), running, "{active}");
        }
        assert_eq!(of("loaded", "inactive"), ProcessState::Stopped);
        assert_eq!(of("masked", "inactive"), ProcessState::Stopped);
        assert_eq!(of("not-found", "inactive"), ProcessState::Missing);
        assert_eq!(of("loaded", "failed"), ProcessState::Stopped);
        assert_eq!(of("not-found", "failed"), ProcessState::Stopped);
        assert!(matches!(
            of("loaded", "maintenance"),
            ProcessState::Unknown(_)
        ));
        assert_eq!(state(Some(&Unit::OnDisk)), ProcessState::Stopped);
        assert_eq!(state(None), ProcessState::Missing);
    }
}
