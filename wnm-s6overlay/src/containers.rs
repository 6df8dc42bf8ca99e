//! The containers of a colony, told from all others by their labels.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use bollard::models::{ContainerSummary, ContainerSummaryStateEnum as State};
use wnm_core::container::{Container, ContainerNetwork};
use wnm_core::id::ContainerId;
use wnm_core::manager::ManagerError;
use wnm_core::ports::PortBases;
use wnm_core::quantity::UnixTime;

use crate::{Block, S6Overlay};

/// Label that says whose a container is: the directory that the colony's nodes are in.
const COLONY: &str = "wnm.colony";

/// Label with the number of the container.
const NUMBER: &str = "wnm.container";

/// Label that says how it is connected.
const NETWORK: &str = "wnm.network";

/// Whose containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Colony {
    storage: String,
}

/// A container as the engine has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub id: ContainerId,
    pub engine_id: String,
    pub image: String,
    pub state: Phase,
    pub network: ContainerNetwork,
    pub created_at: UnixTime,
}

/// What a container does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It runs.
    Running,
    /// It does not, and can be started.
    Ended,
    /// It is between two states, or somebody holds it in one: nothing is known of its nodes.
    Other(&'static str),
}

impl Colony {
    pub fn at(storage: &Path) -> Self {
        Self {
            storage: storage.display().to_string(),
        }
    }

    /// The label by which its containers are found.
    pub fn filter(&self) -> String {
        format!("{COLONY}={}", self.storage)
    }

    /// The labels of a container that is made.
    pub fn labels(&self, id: ContainerId, network: ContainerNetwork) -> HashMap<String, String> {
        HashMap::from([
            (COLONY.to_owned(), self.storage.clone()),
            (NUMBER.to_owned(), id.0.to_string()),
            (NETWORK.to_owned(), network.to_string()),
        ])
    }
}

impl Found {
    /// What the engine lists; `None` for what only looks like a container of the colony.
    pub fn read(summary: ContainerSummary) -> Option<Self> {
        let labels = summary.labels.unwrap_or_default();
        Some(Self {
            id: ContainerId(
                labels
                    .get(NUMBER)?
                    .parse()
                    .ok()
                    .filter(|number| *number > 0)?,
            ),
            engine_id: summary.id?,
            image: summary.image.unwrap_or_default(),
            state: match summary.state? {
                State::RUNNING => Phase::Running,
                State::CREATED | State::EXITED => Phase::Ended,
                State::PAUSED => Phase::Other("is paused"),
                State::RESTARTING => Phase::Other("is being restarted"),
                State::REMOVING => Phase::Other("is being removed"),
                State::STOPPING => Phase::Other("is being stopped"),
                State::DEAD => Phase::Other("is dead; remove it"),
                State::EMPTY => Phase::Other("is in a state without a name"),
            },
            network: labels.get(NETWORK)?.parse().ok()?,
            created_at: UnixTime(summary.created.unwrap_or_default()),
        })
    }

    /// It for the record.
    pub fn record(&self, block: Option<Block>, bases: &PortBases) -> Container {
        let ports = block.and_then(|block| block.ports(bases).ok());
        Container {
            id: self.id,
            engine_id: self.engine_id.clone(),
            name: self.id.to_string(),
            image: self.image.clone(),
            status: match self.state {
                Phase::Running => "running".to_owned(),
                Phase::Ended => "exited".to_owned(),
                Phase::Other(words) => words.trim_start_matches("is ").to_owned(),
            },
            created_at: self.created_at,
            node_ports: ports.map(|ports| ports.node),
            metrics_ports: ports.map(|ports| ports.metrics),
        }
    }
}

impl S6Overlay {
    /// The colony's containers, by number: one question to the engine.
    pub(crate) async fn containers(&self) -> Result<BTreeMap<ContainerId, Found>, ManagerError> {
        let listed = self.engine.labelled(&self.colony.filter()).await?;
        Ok(listed
            .into_iter()
            .filter_map(Found::read)
            .map(|found| (found.id, found))
            .collect())
    }
}
