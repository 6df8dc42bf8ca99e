//! A container that holds nodes, as the s6overlay manager keeps them.

mod block;
mod network;
mod observation;

use serde::{Deserialize, Serialize};

pub use block::{Block, BlockPorts};
pub use network::{ContainerNetwork, UnknownNetwork};
pub use observation::{ContainerObservation, ContainerState};

use crate::id::ContainerId;
use crate::ports::Port;
use crate::quantity::UnixTime;

/// One container and the block of ports that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Which container of the machine it is, from 1.
    pub id: ContainerId,
    /// The engine's own id, 64 hexadecimal digits.
    pub engine_id: String,
    /// Its name in the engine.
    pub name: String,
    /// The image it was made from.
    pub image: String,
    /// What the engine last said of it.
    pub status: String,
    /// When it was made.
    pub created_at: UnixTime,
    /// First and last node port.
    pub node_ports: Option<(Port, Port)>,
    /// First and last metrics port.
    pub metrics_ports: Option<(Port, Port)>,
}
