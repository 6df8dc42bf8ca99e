//! What s6 says of nodes: one exec for all of a container.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::join_all;
use wnm_core::container::ContainerId;
use wnm_core::manager::{ManagerError, ProcessState};
use wnm_core::node::{Node, NodeId};

use crate::S6Overlay;
use crate::containers::Phase;
use crate::scripts::{Script, service_of};

/// What is known of a container's services.
enum Said {
    /// There is no such container, or it does not run: nothing of its nodes is there.
    Nothing,
    /// Whether each service runs.
    Services(HashMap<String, bool>),
    /// It did not say, for this reason.
    Silent(String),
}

impl S6Overlay {
    /// The states of nodes. The engine's silence is an error, that of a container makes its nodes unknown.
    pub(crate) async fn states(
        &self,
        nodes: &[Node],
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        self.states_said(nodes, Script::Look).await
    }

    /// The same, waiting for containers that have only just been started.
    pub(crate) async fn states_once_up(
        &self,
        nodes: &[Node],
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        self.states_said(nodes, Script::LookOnceUp).await
    }

    async fn states_said(
        &self,
        nodes: &[Node],
        script: Script,
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        let found = self.containers().await?;
        let groups = self.by_container(nodes);
        let asked = groups.iter().map(|(id, _)| {
            let phase = found.get(id).map(|found| found.state);
            async move { (*id, self.said(*id, phase, script).await) }
        });
        let said: BTreeMap<ContainerId, Said> = join_all(asked).await.into_iter().collect();
        let mut states = HashMap::with_capacity(nodes.len());
        for (id, group) in groups {
            for (_, node) in group {
                let state = match said.get(&id) {
                    Some(Said::Services(services)) => match service_of(node) {
                        Ok(service) => match services.get(&service) {
                            Some(true) => ProcessState::Running { pid: None },
                            Some(false) => ProcessState::Stopped,
                            None => ProcessState::Missing,
                        },
                        Err(error) => ProcessState::Unknown(error.to_string()),
                    },
                    Some(Said::Nothing) => ProcessState::Missing,
                    Some(Said::Silent(reason)) => ProcessState::Unknown(reason.clone()),
                    None => ProcessState::Unknown("its container was not asked".to_owned()),
                };
                states.insert(node.id, state);
            }
        }
        Ok(states)
    }

    async fn said(&self, id: ContainerId, phase: Option<Phase>, script: Script) -> Said {
        match phase {
            None | Some(Phase::Ended) => Said::Nothing,
            Some(Phase::Other(words)) => Said::Silent(format!("container {id} {words}")),
            Some(Phase::Running) => match self.run(id, script, Vec::new()).await {
                Ok(output) => Said::Services(services(&output)),
                Err(error) => Said::Silent(format!("container {id}: {error}")),
            },
        }
    }
}

/// Lines of a service and whether it is up: `antnode0001 true`.
fn services(output: &[u8]) -> HashMap<String, bool> {
    String::from_utf8_lossy(output)
        .lines()
        .filter_map(|line| {
            let (name, up) = line.split_once(' ')?;
            Some((name.to_owned(), up.trim() == "true"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_nobody_supervises_does_not_run() {
        let said = services(b"antnode0001 true\nantnode0002 false\nantnode0003 \n");
        assert_eq!(said.get("antnode0001"), Some(&true));
        assert_eq!(said.get("antnode0002"), Some(&false));
        assert_eq!(said.get("antnode0003"), Some(&false));
        assert_eq!(said.get("antnode0004"), None);
    }
}
