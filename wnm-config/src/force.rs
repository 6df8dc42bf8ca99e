use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use wnm_core::decide::ForcedAction;

/// What `--force-action` makes a run do instead of deciding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ForceAction {
    /// Something with nodes.
    Nodes(ForcedAction),
    /// Take everything down.
    Teardown,
    /// Ask nodes how they are.
    Survey,
    /// Bring the database up to date.
    DatabaseMigration,
    /// Nothing; settings that were given are stored all the same.
    Nullop,
    /// Store the settings that were given, counters included, and exit.
    UpdateConfig,
    /// Clear the flags that were given, and exit.
    DisableConfig,
}

/// A word for no action.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("takes one of {}", ForceAction::WORDS.join(", "))]
pub struct UnknownForceAction;

impl ForceAction {
    /// Every word, in the order of help.
    pub const WORDS: [&'static str; 12] = [
        "add",
        "remove",
        "upgrade",
        "start",
        "stop",
        "disable",
        "teardown",
        "survey",
        "wnm-db-migration",
        "nullop",
        "update_config",
        "disable_config",
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            ForceAction::Nodes(ForcedAction::Add) => "add",
            ForceAction::Nodes(ForcedAction::Remove) => "remove",
            ForceAction::Nodes(ForcedAction::Upgrade) => "upgrade",
            ForceAction::Nodes(ForcedAction::Start) => "start",
            ForceAction::Nodes(ForcedAction::Stop) => "stop",
            ForceAction::Nodes(ForcedAction::Disable) => "disable",
            ForceAction::Teardown => "teardown",
            ForceAction::Survey => "survey",
            ForceAction::DatabaseMigration => "wnm-db-migration",
            ForceAction::Nullop => "nullop",
            ForceAction::UpdateConfig => "update_config",
            ForceAction::DisableConfig => "disable_config",
        }
    }

    /// Whether the run ends once settings are stored.
    pub const fn only_settings(self) -> bool {
        matches!(
            self,
            ForceAction::Nullop | ForceAction::UpdateConfig | ForceAction::DisableConfig
        )
    }
}

impl fmt::Display for ForceAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for ForceAction {
    type Err = UnknownForceAction;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = text.trim().to_lowercase().replace('_', "-");
        Ok(match word.as_str() {
            "add" => ForceAction::Nodes(ForcedAction::Add),
            "remove" => ForceAction::Nodes(ForcedAction::Remove),
            "upgrade" => ForceAction::Nodes(ForcedAction::Upgrade),
            "start" => ForceAction::Nodes(ForcedAction::Start),
            "stop" => ForceAction::Nodes(ForcedAction::Stop),
            "disable" => ForceAction::Nodes(ForcedAction::Disable),
            "teardown" => ForceAction::Teardown,
            "survey" => ForceAction::Survey,
            "wnm-db-migration" => ForceAction::DatabaseMigration,
            "nullop" => ForceAction::Nullop,
            "update-config" => ForceAction::UpdateConfig,
            "disable-config" => ForceAction::DisableConfig,
            _ => return Err(UnknownForceAction),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for word in ForceAction::WORDS {
            assert_eq!(word.parse::<ForceAction>().unwrap().word(), word);
        }
        assert_eq!(
            "update-config".parse::<ForceAction>(),
            Ok(ForceAction::UpdateConfig)
        );
        assert!("explode".parse::<ForceAction>().is_err());
    }
}
