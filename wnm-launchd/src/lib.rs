//! Runs nodes as launchd jobs: `launchd+sudo` uses the system domain, `launchd+user` the caller's
//! own domains.
//!
//! Each node has a directory with its own copy of the program and a job `com.autonomi.antnode-N`.
//! launchd starts the job at boot or login and restarts it when it exits. This crate talks to
//! launchd through `launchctl`. It judges the result of every change by reading the job state
//! afterwards: launchd reports success when it loads a job whose program does not exist, and
//! reports a job as unloaded long before it is gone.
//!
//! wnm writes a job file only while the job is not loaded. The loaded job therefore always matches
//! the file, wherever a run was interrupted.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod add;
mod discover;
mod domain;
mod factory;
mod fault_points;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzzing;
mod job_description;
mod job_file;
mod label;
mod launchctl;
mod load;
mod node_output;
mod property_list;
mod remove;
mod start_stop;
mod status;
mod upgrade;

#[cfg(test)]
mod tests;

pub use factory::{LaunchdFactory, SUDO, USER};
pub use fault_points::FAULT_POINTS;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use wnm_core::id::NodeId;
use wnm_core::kind::{ManagerKind, Mode};
use wnm_core::manager::{
    AddedNode, FoundNode, LanePolicy, ManagerContext, ManagerError, ManagerPolicy, Outcomes,
    ProcessManager, Reset, each,
};
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_core::numbering::IdPolicy;
use wnm_core::program::NodeBinary;
use wnm_host::files;
use wnm_host::files::Files;

use crate::domain::Scope;
use crate::label::Label;
use crate::launchctl::Launchctl;

/// Manages nodes as launchd jobs.
pub struct Launchd {
    kind: ManagerKind,
    context: ManagerContext,
    scope: Scope,
    /// The directory of the job files.
    job_dir: PathBuf,
    files: Arc<dyn Files>,
    launchctl: Launchctl,
}

impl Launchd {
    /// Creates a manager of this kind. Changes nothing yet.
    pub fn new(kind: ManagerKind, context: ManagerContext) -> Result<Self, ManagerError> {
        let scope = Scope::for_mode(kind.mode());
        let job_dir = scope.job_dir()?;
        Ok(Self::with_scope(kind, context, scope, job_dir))
    }

    fn with_scope(
        kind: ManagerKind,
        context: ManagerContext,
        scope: Scope,
        job_dir: PathBuf,
    ) -> Self {
        Self {
            files: files::of(&kind, &context),
            launchctl: Launchctl::new(scope, Arc::clone(&context.runner)),
            kind,
            context,
            scope,
            job_dir,
        }
    }

    fn job_path(&self, label: &Label) -> PathBuf {
        self.job_dir.join(label.file_name())
    }
}

/// Whether `launchctl` is in one of the directories of `path`, a value of `PATH`.
pub fn is_available(path: Option<&std::ffi::OsStr>) -> bool {
    let is_program = |dir: PathBuf| {
        let found = std::fs::metadata(dir.join("launchctl"));
        found.is_ok_and(|entry| entry.is_file())
    };
    path.is_some_and(|path| std::env::split_paths(path).any(is_program))
}

/// Returns advice for user domains: launchd stops their jobs at logout. Returns `None` if there is
/// nothing to say.
pub fn session_advice(kind: &ManagerKind) -> Option<String> {
    match kind.mode() {
        Mode::User | Mode::Zen => Some(
            "nodes of launchd+user stop when the user logs out and start at the next login; on a Mac without logins, \
             use launchd+sudo"
                .to_owned(),
        ),
        Mode::Sudo => None,
    }
}

#[async_trait]
impl ProcessManager for Launchd {
    fn kind(&self) -> ManagerKind {
        self.kind.clone()
    }

    fn policy(&self) -> ManagerPolicy {
        ManagerPolicy {
            ids: IdPolicy::FillHoles,
            lanes: LanePolicy::PerNode,
            restarts_crashed: true,
            ..ManagerPolicy::default()
        }
    }

    async fn add(&self, nodes: &[Node], binary: &NodeBinary) -> Outcomes<AddedNode> {
        each(nodes, |node| self.add_node(node, binary)).await
    }

    async fn start(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, |node| self.start_or_roll_back(node)).await
    }

    async fn stop(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, |node| self.stop_node(node)).await
    }

    async fn upgrade(&self, nodes: &[Node], to: &NodeBinary) -> Outcomes<()> {
        each(nodes, |node| self.upgrade_node(node, to)).await
    }

    async fn remove(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, |node| self.remove_node(node)).await
    }

    async fn statuses(
        &self,
        nodes: &[Node],
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        self.node_states(nodes).await
    }

    async fn discover(&self) -> Result<Vec<FoundNode>, ManagerError> {
        self.discover_nodes().await
    }

    fn reset(&self) -> Option<&dyn Reset> {
        Some(self)
    }
}

/// Whether anything exists at a path, including a dangling symlink.
fn path_exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}
