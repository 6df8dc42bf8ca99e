//! Where things are kept, by platform and mode.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::kind::Mode;
use crate::id::NodeId;

/// Where things are kept, by platform and mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Default directory of `colony.db`.
    pub state: PathBuf,
    /// Directory that holds a directory per node.
    pub node_storage: PathBuf,
    /// Directory that holds a log directory per node.
    pub logs: PathBuf,
    /// Directory of the bootstrap cache that all nodes share.
    pub bootstrap_cache: PathBuf,
}

/// No home directory to derive paths from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no home directory is known, so default paths are not either")]
pub struct UnknownHome;

impl Paths {
    /// The defaults for a mode on this platform.
    pub fn for_mode(mode: Mode, home: Option<&Path>) -> Result<Self, UnknownHome> {
        let under_home = |tail: &str| home.map(|home| home.join(tail)).ok_or(UnknownHome);
        let (state, node_storage, logs, bootstrap_cache) = match (cfg!(target_os = "macos"), mode) {
            (false, Mode::Sudo) => (
                PathBuf::from("/var/antctl"),
                PathBuf::from("/var/antctl/services"),
                PathBuf::from("/var/log/antnode"),
                PathBuf::from("/var/antctl/bootstrap-cache"),
            ),
            (false, Mode::User | Mode::Zen) => {
                let base = under_home(".local/share/autonomi")?;
                (
                    base.clone(),
                    base.join("node"),
                    base.join("logs"),
                    base.join("bootstrap-cache"),
                )
            }
            (true, Mode::Sudo) => (
                PathBuf::from("/Library/Application Support/autonomi"),
                PathBuf::from("/Library/Application Support/autonomi/node"),
                PathBuf::from("/Library/Logs/autonomi"),
                PathBuf::from("/Library/Caches/autonomi/bootstrap-cache"),
            ),
            (true, Mode::User | Mode::Zen) => {
                let base = under_home("Library/Application Support/autonomi")?;
                (
                    base.clone(),
                    base.join("node"),
                    under_home("Library/Logs/autonomi")?,
                    under_home("Library/Caches/autonomi/bootstrap-cache")?,
                )
            }
        };
        Ok(Self {
            state,
            node_storage,
            logs,
            bootstrap_cache,
        })
    }

    /// Paths of a colony that has everything below its node storage: those without a home directory.
    pub fn below(node_storage: &Path) -> Self {
        Self {
            state: node_storage.join("state"),
            node_storage: node_storage.to_owned(),
            logs: node_storage.join("logs"),
            bootstrap_cache: node_storage.join("bootstrap-cache"),
        }
    }

    /// The same with another node storage. Logs and bootstrap cache follow it when it is not the default, so
    /// that a colony in a directory of its own has everything in there.
    #[must_use]
    pub fn with_node_storage(mut self, node_storage: &Path) -> Self {
        if self.node_storage != node_storage {
            self.logs = node_storage.join("logs");
            self.bootstrap_cache = node_storage.join("bootstrap-cache");
            self.node_storage = node_storage.to_owned();
        }
        self
    }

    /// Directory of one node.
    pub fn node_dir(&self, id: NodeId) -> PathBuf {
        self.node_storage.join(id.directory_name())
    }

    /// Log directory of one node.
    pub fn log_dir(&self, id: NodeId) -> PathBuf {
        self.logs.join(id.directory_name())
    }
}
