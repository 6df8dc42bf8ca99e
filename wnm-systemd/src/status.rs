//! Maps a unit listing to node states.

use std::collections::HashMap;

use wnm_core::id::NodeId;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;

use crate::client::Unit;
use crate::unit_of;

/// Matches nearly all node units.
const NODE_UNITS: &str = "antnode*.service";

/// Returns the patterns that list the units of these nodes: one for the usual names, plus each
/// other name.
pub(crate) fn patterns(nodes: &[Node]) -> Vec<String> {
    let mut patterns = vec![NODE_UNITS.to_owned()];
    let other = nodes.iter().filter_map(|node| unit_of(node).ok());
    patterns.extend(other.filter(|unit| !unit.starts_with("antnode")));
    patterns
}

/// Returns the state of each node from a unit listing.
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

/// Returns the state of one unit. It has no process id: no listing contains one, and asking for
/// each unit costs a hundred times as much.
pub(crate) fn state(unit: Option<&Unit>) -> ProcessState {
    match unit {
        None => ProcessState::Missing,
        Some(Unit::OnDisk) => ProcessState::Stopped,
        Some(Unit::Loaded { load, active }) => match active.as_str() {
            // A stopping unit still has a process, and one waiting for its restart will have one
            // soon.
            "active" | "activating" | "deactivating" | "reloading" | "refreshing" => {
                ProcessState::Running { pid: None }
            }
            "inactive" if load == "not-found" => ProcessState::Missing,
            "inactive" | "failed" => ProcessState::Stopped,
            other => ProcessState::Unknown(format!("systemd reports state {other}")),
        },
    }
}

/// Whether a node has no process.
pub(crate) fn is_stopped(state: &ProcessState) -> bool {
    matches!(state, ProcessState::Stopped | ProcessState::Missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_every_systemd_state() {
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
            // The unit file was deleted but the process is still running.
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
