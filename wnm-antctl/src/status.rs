//! Determines the states of many nodes with one antctl call and one pass over the process table.

use std::collections::HashMap;

use wnm_core::id::NodeId;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;

use crate::Antctl;
use crate::process_table::NodePaths;
use crate::registry::{LifecycleState, Registry, Service};

impl Antctl {
    /// Asks antctl which services exist and the process table which of them run.
    pub(crate) async fn service_states(
        &self,
        nodes: &[Node],
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        if nodes.is_empty() {
            return Ok(HashMap::new());
        }
        let registry = self.client.registry().await?;
        self.check_registry_not_lost(&registry, nodes).await?;
        let known: Vec<(NodeId, Service)> = nodes
            .iter()
            .filter_map(|node| Some((node.id, registry.service_for(node)?.clone())))
            .collect();
        let services = known.iter().map(|(_, service)| service.clone()).collect();
        let process_states = self.process_table.states(services).await?;
        let mut states = HashMap::new();
        for node in nodes
            .iter()
            .filter(|node| registry.service_for(node).is_none())
        {
            let state = match self.process_table.find(NodePaths::from(node)).await {
                Ok(Some(pid)) => ProcessState::Running { pid: Some(pid) },
                Ok(None) | Err(_) => unlisted_state(&registry),
            };
            states.insert(node.id, state);
        }
        for ((id, service), state) in known.into_iter().zip(process_states) {
            states.insert(id, trusted_state(&service, state));
        }
        Ok(states)
    }

    /// Fails if the registry has lost all services: the nodes may all run. A reset by hand also deletes their
    /// directories, so it does not count as a loss.
    pub(crate) async fn check_registry_not_lost(
        &self,
        registry: &Registry,
        nodes: &[Node],
    ) -> Result<(), ManagerError> {
        if !registry.is_blank() {
            return Ok(());
        }
        let backup = self.client.registry_backup();
        let backed_up = backup.content().await?;
        let exists = |node: &Node| node.root_dir.symlink_metadata().is_ok();
        let mut lost = nodes
            .iter()
            .filter(|node| backed_up.service_for(node).is_some());
        if !lost.any(exists) {
            return Ok(());
        }
        let copy = backup.path().display();
        Err(ManagerError::Unreachable {
            supervisor: "antctl".to_owned(),
            reason: format!(
                "its registry has lost all services; {copy} still lists them: copy it over the registry, or \
                 delete it if you reset antctl on purpose"
            ),
        })
    }
}

/// The state of a node that the registry does not list. An unparsable entry may be the node's.
fn unlisted_state(registry: &Registry) -> ProcessState {
    match registry.unreadable {
        0 => ProcessState::Missing,
        1 => ProcessState::Unknown("cannot parse a service of antctl".to_owned()),
        more => ProcessState::Unknown(format!("cannot parse {more} services of antctl")),
    }
}

/// Combines antctl's state with the process table's. A process always counts; its absence counts only if
/// antctl's state is a known one.
pub(crate) fn trusted_state(service: &Service, observed: ProcessState) -> ProcessState {
    match (&service.state, observed) {
        (LifecycleState::Other(word), ProcessState::Stopped) => {
            ProcessState::Unknown(format!("antctl reports the state {word}"))
        }
        (_, observed) => observed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_antctl_state_does_not_count_as_stopped() {
        let listed = br#"{"nodes":[{"service_name":"antnode1","status":"Paused","antnode_path":"/n/1/antnode",
            "data_dir_path":"/n/1"},{"service_name":"antnode2"}]}"#;
        let registry = Registry::parse(listed).unwrap();
        let service = &registry.services()[0];
        let unknown = ProcessState::Unknown("antctl reports the state Paused".to_owned());
        assert_eq!(trusted_state(service, ProcessState::Stopped), unknown);
        let running = ProcessState::Running { pid: Some(7) };
        assert_eq!(trusted_state(service, running.clone()), running);
        assert!(matches!(
            unlisted_state(&registry),
            ProcessState::Unknown(_)
        ));
        assert_eq!(unlisted_state(&Registry::default()), ProcessState::Missing);
    }
}
