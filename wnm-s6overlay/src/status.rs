//! Reads the states of nodes from s6, with one exec per container.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::join_all;
use wnm_core::id::ContainerId;
use wnm_core::id::NodeId;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;

use crate::S6Overlay;
use crate::containers::ContainerState;
use crate::scripts::{Script, service_name};
use crate::status_output::{self, ServiceStatus};

/// The services of a container.
enum Services {
    /// The container does not exist or does not run, so it has no services.
    None,
    /// The container answered: statuses by service name.
    Known(HashMap<String, ServiceStatus>),
    /// The container did not answer, for this reason.
    Unknown(String),
}

impl S6Overlay {
    /// The states of nodes. Returns an error if the engine does not answer. If a container does not answer, its
    /// nodes are unknown.
    pub(crate) async fn states(
        &self,
        nodes: &[Node],
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        self.states_from(nodes, Script::Status).await
    }

    /// Like [`states`](Self::states), but waits for containers that have just started.
    pub(crate) async fn states_when_up(
        &self,
        nodes: &[Node],
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        self.states_from(nodes, Script::StatusWhenUp).await
    }

    async fn states_from(
        &self,
        nodes: &[Node],
        script: Script,
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        let containers = self.containers().await?;
        let groups = self.group_by_container(nodes);
        let queries = groups.iter().map(|(id, _)| {
            let state = containers.get(id).map(|found| found.state);
            async move { (*id, self.services(*id, state, script).await) }
        });
        let answers: BTreeMap<ContainerId, Services> =
            join_all(queries).await.into_iter().collect();
        let mut states = HashMap::with_capacity(nodes.len());
        for (id, group) in groups {
            for (_, node) in group {
                let state = match answers.get(&id) {
                    Some(Services::Known(services)) => match service_name(node) {
                        Ok(name) => process_state(services.get(&name)),
                        Err(error) => ProcessState::Unknown(error.to_string()),
                    },
                    Some(Services::None) => ProcessState::Missing,
                    Some(Services::Unknown(reason)) => ProcessState::Unknown(reason.clone()),
                    None => ProcessState::Unknown("its container was not queried".to_owned()),
                };
                states.insert(node.id, state);
            }
        }
        Ok(states)
    }

    async fn services(
        &self,
        id: ContainerId,
        state: Option<ContainerState>,
        script: Script,
    ) -> Services {
        match state {
            None | Some(ContainerState::Exited) => Services::None,
            Some(ContainerState::Other(description)) => {
                Services::Unknown(format!("container {id} {description}"))
            }
            Some(ContainerState::Running) => {
                let output = self.run_script(id, script, Vec::new()).await;
                match output.and_then(|output| status_output::parse(id, &output)) {
                    Ok(services) => Services::Known(services),
                    Err(error) => Services::Unknown(format!("container {id}: {error}")),
                }
            }
        }
    }
}

/// The state of a node with this service status in a container that answers. `None` means that s6 has no such
/// service.
pub(crate) fn process_state(status: Option<&ServiceStatus>) -> ProcessState {
    match status {
        Some(ServiceStatus::Up) => ProcessState::Running { pid: None },
        Some(ServiceStatus::Down(_)) => ProcessState::Stopped,
        Some(ServiceStatus::Unclear) => {
            ProcessState::Unknown("s6 does not say whether it runs".to_owned())
        }
        None => ProcessState::Missing,
    }
}
