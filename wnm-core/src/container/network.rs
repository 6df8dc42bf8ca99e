use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How the network reaches the nodes in a container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContainerNetwork {
    /// The container has a network of its own, and the engine publishes its range of node ports.
    Published,
    /// The container uses the machine's network.
    #[default]
    Host,
}

/// A word that names none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{0}' is no way to connect containers; there are {all}", all = ContainerNetwork::WORDS.join(", "))]
pub struct UnknownNetwork(pub String);

impl ContainerNetwork {
    /// Both, in the order of [`Self::WORDS`].
    pub const ALL: [Self; 2] = [Self::Host, Self::Published];

    /// The words for them.
    pub const WORDS: [&'static str; 2] = ["host", "published"];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Host => "host",
        }
    }
}

impl fmt::Display for ContainerNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for ContainerNetwork {
    type Err = UnknownNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = text.trim().to_lowercase();
        Self::ALL
            .into_iter()
            .find(|network| network.word() == wanted)
            .ok_or_else(|| UnknownNetwork(text.trim().to_owned()))
    }
}
