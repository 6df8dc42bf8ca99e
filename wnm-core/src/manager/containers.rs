use std::collections::BTreeMap;

use async_trait::async_trait;

use super::ManagerError;
use crate::container::{Container, ContainerObservation};
use crate::id::ContainerId;
use crate::node::Node;

/// The containers that a manager runs nodes in. Such a manager has one lane per container.
#[async_trait]
pub trait Containers: Send + Sync {
    /// Observes all containers of the colony, and which of `nodes` went down with theirs. Changes nothing.
    /// `nodes` should run and do not, as far as was seen.
    ///
    /// # Errors
    ///
    /// The engine did not answer.
    async fn observe(&self, nodes: &[Node]) -> Result<ObservedContainers, ManagerError>;

    /// Creates these containers where they are missing and starts them where they are stopped. Returns once
    /// nodes can run in them. A container that runs is a success. `nodes` are the nodes there are.
    ///
    /// # Errors
    ///
    /// The engine did not answer, so nothing was done. The report has the failures of single containers.
    async fn ensure(
        &self,
        containers: &[ContainerId],
        nodes: &[Node],
    ) -> Result<ContainerReport, ManagerError>;
}

/// What a manager saw of its containers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservedContainers {
    /// Every container there is, for the decision.
    pub containers: Vec<ContainerObservation>,
    /// The same for the record.
    pub records: Vec<Container>,
}

/// The outcome of ensuring containers.
#[derive(Debug, Default)]
pub struct ContainerReport {
    /// An outcome for each container that was asked for.
    pub outcomes: BTreeMap<ContainerId, Result<(), ManagerError>>,
    /// Every container there is now, for the record.
    pub records: Vec<Container>,
}
