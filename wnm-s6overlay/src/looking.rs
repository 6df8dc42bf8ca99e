//! What s6 says of nodes: one exec for all of a container.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::join_all;
use wnm_core::id::ContainerId;
use wnm_core::id::NodeId;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;

use crate::S6Overlay;
use crate::answer::{self, Said};
use crate::containers::Phase;
use crate::scripts::{Script, service_of};

/// What is known of a container's services.
enum Known {
    /// There is no such container, or it does not run: nothing of its nodes is there.
    Nothing,
    /// What is said of each.
    Services(HashMap<String, Said>),
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
        let said: BTreeMap<ContainerId, Known> = join_all(asked).await.into_iter().collect();
        let mut states = HashMap::with_capacity(nodes.len());
        for (id, group) in groups {
            for (_, node) in group {
                let state = match said.get(&id) {
                    Some(Known::Services(services)) => match service_of(node) {
                        Ok(service) => state(services.get(&service)),
                        Err(error) => ProcessState::Unknown(error.to_string()),
                    },
                    Some(Known::Nothing) => ProcessState::Missing,
                    Some(Known::Silent(reason)) => ProcessState::Unknown(reason.clone()),
                    None => ProcessState::Unknown("its container was not asked".to_owned()),
                };
                states.insert(node.id, state);
            }
        }
        Ok(states)
    }

    async fn said(&self, id: ContainerId, phase: Option<Phase>, script: Script) -> Known {
        match phase {
            None | Some(Phase::Ended) => Known::Nothing,
            Some(Phase::Other(words)) => Known::Silent(format!("container {id} {words}")),
            Some(Phase::Running) => {
                let output = self.run(id, script, Vec::new()).await;
                match output.and_then(|output| answer::read(id, &output)) {
                    Ok(services) => Known::Services(services),
                    Err(error) => Known::Silent(format!("container {id}: {error}")),
                }
            }
        }
    }
}

/// The state of a node of whose service this is said in a container that answers.
pub(crate) fn state(said: Option<&Said>) -> ProcessState {
    match said {
        Some(Said::Up) => ProcessState::Running { pid: None },
        Some(Said::Down(_)) => ProcessState::Stopped,
        Some(Said::Unclear) => ProcessState::Unknown("s6 does not say whether it runs".to_owned()),
        None => ProcessState::Missing,
    }
}
