use semver::Version;
use serde::{Deserialize, Serialize};

/// Something about a node that nobody did, worth a line in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "change")]
pub enum NodeChange {
    /// It did not run and does now.
    CameUp,
    /// It ran, should run, and does not any more.
    WentDown,
    /// Its directory is gone.
    Died,
    /// It runs another version than before.
    ChangedVersion {
        /// What it ran before.
        from: Version,
        /// What it runs now.
        to: Version,
    },
    /// Another node answers on its metrics port. Comes with every look while it lasts.
    ForeignListener {
        /// The peer id that answers; none where it says none.
        peer_id: Option<String>,
    },
}

impl NodeChange {
    /// The word that the journal uses.
    pub const fn as_str(&self) -> &'static str {
        match self {
            NodeChange::CameUp => "came-up",
            NodeChange::WentDown => "went-down",
            NodeChange::Died => "died",
            NodeChange::ChangedVersion { .. } => "changed-version",
            NodeChange::ForeignListener { .. } => "foreign-listener",
        }
    }
}

impl std::fmt::Display for NodeChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NodeChange::CameUp => f.write_str("runs again without having been started"),
            NodeChange::WentDown => {
                f.write_str("does not run any more without having been stopped")
            }
            NodeChange::Died => f.write_str("its directory is gone"),
            NodeChange::ChangedVersion { from, to } => {
                write!(f, "runs {to} now, ran {from} before")
            }
            NodeChange::ForeignListener {
                peer_id: Some(peer_id),
            } => write!(f, "another node ({peer_id}) answers on its metrics port"),
            NodeChange::ForeignListener { peer_id: None } => {
                f.write_str("something else answers on its metrics port")
            }
        }
    }
}
