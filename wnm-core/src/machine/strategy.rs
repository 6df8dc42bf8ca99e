use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Which node goes first when one has to go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemovalStrategy {
    /// The one launched last: old nodes are worth more to the network. The default.
    #[default]
    Youngest,
    /// The one launched first.
    Oldest,
    /// The one with the fewest records.
    LeastRecords,
    /// The one that most of its neighbours shun.
    MostShunned,
    /// The one that says it uses the most memory.
    HighestMemory,
}

/// A strategy that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "'{0}' is no removal strategy: youngest, oldest, least-records, most-shunned or highest-memory"
)]
pub struct UnknownStrategy(pub String);

impl RemovalStrategy {
    /// Every strategy.
    pub const ALL: [RemovalStrategy; 5] = [
        RemovalStrategy::Youngest,
        RemovalStrategy::Oldest,
        RemovalStrategy::LeastRecords,
        RemovalStrategy::MostShunned,
        RemovalStrategy::HighestMemory,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            RemovalStrategy::Youngest => "youngest",
            RemovalStrategy::Oldest => "oldest",
            RemovalStrategy::LeastRecords => "least-records",
            RemovalStrategy::MostShunned => "most-shunned",
            RemovalStrategy::HighestMemory => "highest-memory",
        }
    }
}

impl fmt::Display for RemovalStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for RemovalStrategy {
    type Err = UnknownStrategy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = text.trim().to_lowercase().replace('_', "-");
        RemovalStrategy::ALL
            .into_iter()
            .find(|strategy| strategy.word() == wanted)
            .ok_or_else(|| UnknownStrategy(text.trim().to_owned()))
    }
}
