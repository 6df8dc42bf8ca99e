//! Finds the containers of a colony by their labels.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use bollard::models::{ContainerSummary, ContainerSummaryStateEnum as State};
use wnm_core::container::{
    Container, ContainerNetwork, ContainerObservation, ContainerState as Observed,
};
use wnm_core::id::ContainerId;
use wnm_core::manager::ManagerError;
use wnm_core::ports::PortBases;
use wnm_core::quantity::UnixTime;

use crate::{Block, S6Overlay};

/// Label with the node storage of the colony, which identifies the owner of a container.
const COLONY_LABEL: &str = "wnm.colony";

/// Label with the number of the container.
const NUMBER_LABEL: &str = "wnm.container";

/// Label with the network mode.
const NETWORK_LABEL: &str = "wnm.network";

/// The set of containers that belong to one colony.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContainerSet {
    storage: String,
}

/// A container as the engine lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundContainer {
    pub id: ContainerId,
    pub engine_id: String,
    pub image: String,
    pub state: ContainerState,
    pub network: ContainerNetwork,
    pub created_at: UnixTime,
}

/// The state of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContainerState {
    /// The container runs.
    Running,
    /// The container does not run and can start.
    Exited,
    /// A transient or paused state, as a description. The states of its nodes are unknown.
    Other(&'static str),
}

impl ContainerSet {
    pub fn of_storage(storage: &Path) -> Self {
        Self {
            storage: storage.display().to_string(),
        }
    }

    /// The label filter that finds these containers.
    pub fn label_filter(&self) -> String {
        format!("{COLONY_LABEL}={}", self.storage)
    }

    /// The labels of a new container.
    pub fn labels(&self, id: ContainerId, network: ContainerNetwork) -> HashMap<String, String> {
        HashMap::from([
            (COLONY_LABEL.to_owned(), self.storage.clone()),
            (NUMBER_LABEL.to_owned(), id.0.to_string()),
            (NETWORK_LABEL.to_owned(), network.to_string()),
        ])
    }
}

impl FoundContainer {
    /// Reads a container from the engine's list. `None` if the summary or its labels are incomplete or invalid.
    pub fn from_summary(summary: ContainerSummary) -> Option<Self> {
        let labels = summary.labels.unwrap_or_default();
        Some(Self {
            id: ContainerId(
                labels
                    .get(NUMBER_LABEL)?
                    .parse()
                    .ok()
                    .filter(|number| *number > 0)?,
            ),
            engine_id: summary.id?,
            image: summary.image.unwrap_or_default(),
            state: match summary.state? {
                State::RUNNING => ContainerState::Running,
                State::CREATED | State::EXITED => ContainerState::Exited,
                State::PAUSED => ContainerState::Other("is paused"),
                State::RESTARTING => ContainerState::Other("is being restarted"),
                State::REMOVING => ContainerState::Other("is being removed"),
                State::STOPPING => ContainerState::Other("is being stopped"),
                State::DEAD => ContainerState::Other("is dead; remove it"),
                State::EMPTY => ContainerState::Other("is in an unknown state"),
            },
            network: labels.get(NETWORK_LABEL)?.parse().ok()?,
            created_at: UnixTime(summary.created.unwrap_or_default()),
        })
    }

    /// The container as the decision sees it, without the nodes that it lost.
    pub fn observation(&self) -> ContainerObservation {
        let state = match self.state {
            ContainerState::Running => Observed::Running,
            ContainerState::Exited => Observed::Stopped,
            ContainerState::Other(_) => Observed::Unknown,
        };
        let said = match self.state {
            ContainerState::Other(description) => Some(description.to_owned()),
            ContainerState::Running | ContainerState::Exited => None,
        };
        ContainerObservation {
            said,
            ..ContainerObservation::new(self.id, state)
        }
    }

    /// The container as a record for the store.
    pub fn record(&self, block: Option<Block>, bases: &PortBases) -> Container {
        let ports = block.and_then(|block| block.ports(bases).ok());
        Container {
            id: self.id,
            engine_id: self.engine_id.clone(),
            name: self.id.to_string(),
            image: self.image.clone(),
            status: match self.state {
                ContainerState::Running => "running".to_owned(),
                ContainerState::Exited => "exited".to_owned(),
                ContainerState::Other(description) => {
                    description.trim_start_matches("is ").to_owned()
                }
            },
            created_at: self.created_at,
            node_ports: ports.map(|ports| ports.node),
            metrics_ports: ports.map(|ports| ports.metrics),
        }
    }
}

impl S6Overlay {
    /// The colony's containers by number, from one request to the engine.
    pub(crate) async fn containers(
        &self,
    ) -> Result<BTreeMap<ContainerId, FoundContainer>, ManagerError> {
        let listed = self.engine.list(&self.container_set.label_filter()).await?;
        Ok(listed
            .into_iter()
            .filter_map(FoundContainer::from_summary)
            .map(|found| (found.id, found))
            .collect())
    }
}
