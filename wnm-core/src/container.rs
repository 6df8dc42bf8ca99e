//! A container that holds nodes, as the s6overlay manager keeps them.

mod block;
mod network;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use block::{Block, BlockPorts};
pub use network::{ContainerNetwork, UnknownNetwork};

use crate::ports::Port;
use crate::quantity::UnixTime;

/// Row number of a container; the k-th container of a machine is named `a<k>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContainerId(pub u32);

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a{}", self.0)
    }
}

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
