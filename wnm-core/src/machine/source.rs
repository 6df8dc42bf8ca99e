use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where a value comes from. Later ones win.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Source {
    /// Nowhere: it is what holds when nothing is said.
    Default,
    /// The nodes that are taken over.
    Nodes,
    /// The machine's settings.
    Database,
    /// A line of a config file.
    File {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment,
    /// The command line.
    CommandLine,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::Nodes => f.write_str("nodes found"),
            Source::Database => f.write_str("database"),
            Source::File { path, line } => write!(f, "{}:{line}", path.display()),
            Source::Environment => f.write_str("environment"),
            Source::CommandLine => f.write_str("command line"),
        }
    }
}
