use async_trait::async_trait;
use wnm_core::container::{Container, ContainerObservation, ContainerState};
use wnm_core::id::ContainerId;
use wnm_core::manager::{ContainerReport, Containers, ManagerError, ObservedContainers};
use wnm_core::node::{Node, ProcessState};
use wnm_core::quantity::UnixTime;

use super::{MemoryManager, State};

impl MemoryManager {
    /// Puts a container into a state. One that does not run drops its nodes.
    pub fn set_container(&self, id: ContainerId, to: ContainerState) {
        let mut state = self.state();
        match to {
            ContainerState::Missing => drop(state.containers.remove(&id)),
            _ => drop(state.containers.insert(id, to)),
        }
        if matches!(to, ContainerState::Missing | ContainerState::Stopped) {
            state.drop_nodes_of(id);
        }
    }

    /// Restarts a container, which drops its nodes.
    pub fn restart_container(&self, id: ContainerId) {
        let mut state = self.state();
        state.containers.insert(id, ContainerState::Running);
        state.drop_nodes_of(id);
    }

    /// Refuses to create or start this container: its state stays unknown.
    pub fn break_container(&self, id: ContainerId) {
        self.set_container(id, ContainerState::Unknown);
    }
}

impl State {
    fn drop_nodes_of(&mut self, id: ContainerId) {
        for service in self.services.values_mut() {
            if service.node.container == Some(id) {
                service.running = false;
                service.dropped = true;
            }
        }
    }

    fn records(&self) -> Vec<Container> {
        let record = |(id, state): (&ContainerId, &ContainerState)| Container {
            id: *id,
            engine_id: format!("{:064}", id.0),
            name: id.to_string(),
            image: "memory".to_owned(),
            status: state.to_string(),
            created_at: UnixTime(0),
            node_ports: None,
            metrics_ports: None,
        };
        self.containers.iter().map(record).collect()
    }
}

#[async_trait]
impl Containers for MemoryManager {
    async fn observe(&self, nodes: &[Node]) -> Result<ObservedContainers, ManagerError> {
        let state = self.state();
        state.check_answers()?;
        let observe = |(id, container): (&ContainerId, &ContainerState)| {
            let runs = *container == ContainerState::Running;
            let lost = nodes.iter().filter(|node| {
                runs && node.container == Some(*id) && state.status(node) == ProcessState::Missing
            });
            ContainerObservation {
                lost: lost.map(|node| node.id).collect(),
                ..ContainerObservation::new(*id, *container)
            }
        };
        Ok(ObservedContainers {
            containers: state.containers.iter().map(observe).collect(),
            records: state.records(),
        })
    }

    async fn ensure(
        &self,
        containers: &[ContainerId],
        _: &[Node],
    ) -> Result<ContainerReport, ManagerError> {
        let names = containers.iter().map(|id| format!(" {id}"));
        let call = format!("ensure{}", names.collect::<String>());
        let mut state = self.state();
        state.calls.push(call);
        state.check_answers()?;
        let mut report = ContainerReport::default();
        for id in containers {
            let outcome = match state.containers.get(id) {
                Some(ContainerState::Unknown) => Err(ManagerError::Rejected {
                    what: format!("container {id}"),
                    words: "is broken".to_owned(),
                }),
                _ => {
                    state.containers.insert(*id, ContainerState::Running);
                    Ok(())
                }
            };
            report.outcomes.insert(*id, outcome);
        }
        report.records = state.records();
        Ok(report)
    }
}
