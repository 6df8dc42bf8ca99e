//! The states of many nodes from one question and one look at the process table.

use std::collections::HashMap;

use wnm_core::id::NodeId;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;

use crate::Antctl;
use crate::process::Trace;
use crate::registry::{Registry, Service, Standing};

impl Antctl {
    /// antctl says which services there are, the process table says which of them run.
    pub(crate) async fn states(
        &self,
        nodes: &[Node],
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        if nodes.is_empty() {
            return Ok(HashMap::new());
        }
        let registry = self.caller.registry().await?;
        self.check_not_lost(&registry, nodes).await?;
        let known: Vec<(NodeId, Service)> = nodes
            .iter()
            .filter_map(|node| Some((node.id, registry.of(node)?.clone())))
            .collect();
        let services = known.iter().map(|(_, service)| service.clone()).collect();
        let looked = self.processes.states(services).await?;
        let mut states = HashMap::new();
        for node in nodes.iter().filter(|node| registry.of(node).is_none()) {
            let state = match self.processes.find(Trace::of(node)).await {
                Ok(Some(pid)) => ProcessState::Running { pid: Some(pid) },
                Ok(None) | Err(_) => unlisted(&registry),
            };
            states.insert(node.id, state);
        }
        for ((id, service), state) in known.into_iter().zip(looked) {
            states.insert(id, judged(&service, state));
        }
        Ok(states)
    }

    /// A registry that has lost everything says nothing of the nodes, which may all run. A reset by hand takes their
    /// directories, too.
    pub(crate) async fn check_not_lost(
        &self,
        registry: &Registry,
        nodes: &[Node],
    ) -> Result<(), ManagerError> {
        if !registry.is_bare() {
            return Ok(());
        }
        let spare = self.caller.spare();
        let before = spare.content().await?;
        let is_there = |node: &Node| node.root_dir.symlink_metadata().is_ok();
        let mut lost = nodes.iter().filter(|node| before.of(node).is_some());
        if !lost.any(is_there) {
            return Ok(());
        }
        let copy = spare.path().display();
        Err(ManagerError::Unreachable {
            supervisor: "antctl".to_owned(),
            reason: format!(
                "its registry has lost all services; {copy} has them as they were: copy it over the registry, or \
                 delete it if they were reset on purpose"
            ),
        })
    }
}

/// The state of a node that is not in the registry. It may be an entry that could not be read.
fn unlisted(registry: &Registry) -> ProcessState {
    match registry.unreadable {
        0 => ProcessState::Missing,
        1 => ProcessState::Unknown("a service of antctl cannot be read".to_owned()),
        more => ProcessState::Unknown(format!("{more} services of antctl cannot be read")),
    }
}

/// A process is believed whatever antctl says. That there is none is believed only of states that are known.
pub(crate) fn judged(service: &Service, looked: ProcessState) -> ProcessState {
    match (&service.standing, looked) {
        (Standing::Other(word), ProcessState::Stopped) => {
            ProcessState::Unknown(format!("antctl calls it {word}"))
        }
        (_, looked) => looked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_not_known_stops_no_node() {
        let listed = br#"{"nodes":[{"service_name":"antnode1","status":"Paused","antnode_path":"/n/1/antnode",
            "data_dir_path":"/n/1"},{"service_name":"antnode2"}]}"#;
        let registry = Registry::find(listed).unwrap();
        let service = &registry.services()[0];
        let unknown = ProcessState::Unknown("antctl calls it Paused".to_owned());
        assert_eq!(judged(service, ProcessState::Stopped), unknown);
        let running = ProcessState::Running { pid: Some(7) };
        assert_eq!(judged(service, running.clone()), running);
        assert!(matches!(unlisted(&registry), ProcessState::Unknown(_)));
        assert_eq!(unlisted(&Registry::default()), ProcessState::Missing);
    }
}
