//! What is run: the trait that keeps the ways of one node program out of the managers.

pub mod argv;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use semver::Version;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::machine::Launch;
use crate::node::{Node, NodeReport};
use crate::paths::Paths;

/// A node program that has been looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeBinary {
    /// Where it is.
    pub path: PathBuf,
    /// What it says its version is.
    pub version: Version,
}

/// Everything wnm needs to know about one kind of node program.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait NodeProgram: Send + Sync {
    /// Name of the program, and of its copy in a node's directory.
    fn name(&self) -> &str;

    /// The payment network nodes are started for.
    fn network(&self) -> &str;

    /// The argument vector a node is started with, program excluded.
    fn arguments(
        &self,
        node: &Node,
        launch: &Launch,
        paths: &Paths,
    ) -> Result<Vec<OsString>, ProgramError>;

    /// The environment a node is started with, beyond what it inherits.
    fn environment(
        &self,
        node: &Node,
        launch: &Launch,
    ) -> Result<Vec<(OsString, OsString)>, ProgramError>;

    /// Asks a binary for its version, under a deadline.
    async fn version(&self, binary: &Path) -> Result<Version, ProgramError>;

    /// The file in a node's directory that was written at its first launch and never again.
    fn identity_file(&self, root_dir: &Path) -> PathBuf;

    /// The pages that a running node serves over HTTP on its metrics port; `None` for a program without pages,
    /// whose nodes are not asked.
    fn pages(&self) -> Option<PagePaths> {
        None
    }

    /// Reads both pages. `None` if the first one is not from a node of this kind.
    fn read_report(&self, metadata: &[u8], metrics: &[u8]) -> Option<NodeReport> {
        let _ = (metadata, metrics);
        None
    }
}

/// Where a node serves its pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagePaths {
    /// Path of the page that says what the node is.
    pub metadata: String,
    /// Path of the page with its figures.
    pub metrics: String,
}

/// What is wrong with a node program or with what it is to be started with.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// No file there.
    #[error("{} does not exist; give the node program with --antnode-path", .0.display())]
    Missing(PathBuf),
    /// A file that cannot be run.
    #[error("{} is not executable; chmod +x it or give another with --antnode-path", .0.display())]
    NotExecutable(PathBuf),
    /// It ran and is something else.
    #[error("{} does not answer --version as {program} does: {words}", path.display())]
    NotTheProgram {
        /// The file.
        path: PathBuf,
        /// What it should have been.
        program: String,
        /// What it said instead.
        words: String,
    },
    /// It ran and did not end.
    #[error("{} did not answer --version in time", .0.display())]
    TimedOut(PathBuf),
    /// Words for the command line or the environment that cannot be read.
    #[error("{option} '{text}': {reason}")]
    Words {
        /// The option they came with.
        option: &'static str,
        /// The words.
        text: String,
        /// What is wrong with them.
        reason: &'static str,
    },
    /// A setting lacks, without which no node can be started.
    #[error("node {node} has no {what}")]
    Incomplete {
        /// Which node.
        node: crate::id::NodeId,
        /// What it lacks.
        what: &'static str,
    },
    /// Anything else, in one line, for programs of other crates.
    #[error("{0}")]
    Other(String),
}
