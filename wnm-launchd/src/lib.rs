//! Nodes as launchd jobs: `launchd+sudo` drives the machine's launchd, `launchd+user` the caller's own domain.
//!
//! A node is a directory with a copy of the program in it and a job `com.autonomi.antnode-N`, which launchd starts
//! with the machine or the login and brings back when it ends. launchd is spoken to through `launchctl`. What came
//! of an act is read from the state of the job afterwards: launchd calls it a success to have taken a job whose
//! program does not exist, and lets go of a job long after it said so.
//!
//! The file of a job is written only while launchd does not hold the job, so that what it holds is what is on disk
//! whatever a run was ended in.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod description;
mod domain;
mod fault_points;
mod found;
#[cfg(any(test, feature = "fuzz"))]
pub mod hostile;
mod job_file;
mod label;
mod launchctl;
mod looking;
mod making;
mod output;
mod property_list;
mod removal;
mod running;
mod settling;
mod upgrading;

#[cfg(test)]
mod tests;

pub use fault_points::FAULT_POINTS;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use wnm_core::id::NodeId;
use wnm_core::kind::{ManagerKind, Mode};
use wnm_core::manager::{
    AddedNode, FoundNode, LanePolicy, ManagerContext, ManagerError, ManagerPolicy, ProcessManager,
};
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_core::numbering::IdPolicy;
use wnm_core::program::NodeBinary;
use wnm_host::files;
use wnm_host::files::Files;

use crate::domain::Reach;
use crate::label::Label;
use crate::launchctl::Launchctl;

/// The manager of launchd jobs.
pub struct Launchd {
    kind: ManagerKind,
    context: ManagerContext,
    reach: Reach,
    /// Where the files of jobs are.
    job_dir: PathBuf,
    files: Arc<dyn Files>,
    talk: Launchctl,
}

impl Launchd {
    /// A manager of this kind. Touches nothing yet.
    pub fn new(kind: ManagerKind, context: ManagerContext) -> Result<Self, ManagerError> {
        let reach = Reach::of(kind.mode());
        let job_dir = reach.directory()?;
        Ok(Self::over(kind, context, reach, job_dir))
    }

    fn over(kind: ManagerKind, context: ManagerContext, reach: Reach, job_dir: PathBuf) -> Self {
        Self {
            files: files::of(kind, &context),
            talk: Launchctl::new(reach, Arc::clone(&context.runner)),
            kind,
            context,
            reach,
            job_dir,
        }
    }

    fn file_of(&self, label: &Label) -> PathBuf {
        self.job_dir.join(label.file_name())
    }
}

/// Whether there is a launchd to drive: a `launchctl` in one of the directories of `path`, as `PATH` has them.
pub fn is_there(path: Option<&std::ffi::OsStr>) -> bool {
    let is_program = |dir: PathBuf| {
        let found = std::fs::metadata(dir.join("launchctl"));
        found.is_ok_and(|entry| entry.is_file())
    };
    path.is_some_and(|path| std::env::split_paths(path).any(is_program))
}

/// What a person should know before trusting nodes to their own launchd. `None` where there is nothing to say.
pub fn session_advice(kind: ManagerKind) -> Option<String> {
    match kind.mode() {
        Mode::User | Mode::Zen => Some(
            "nodes of launchd+user end with the session of their user and come back with the next login; on a Mac \
             that nobody logs in to take launchd+sudo"
                .to_owned(),
        ),
        Mode::Sudo => None,
    }
}

#[async_trait]
impl ProcessManager for Launchd {
    fn kind(&self) -> ManagerKind {
        self.kind
    }

    fn policy(&self) -> ManagerPolicy {
        ManagerPolicy {
            ids: IdPolicy::FillHoles,
            lanes: LanePolicy::PerNode,
            restarts_crashed: true,
        }
    }

    async fn add(&self, node: &Node, binary: &NodeBinary) -> Result<AddedNode, ManagerError> {
        self.make(node, binary).await
    }

    async fn start(&self, node: &Node) -> Result<(), ManagerError> {
        self.start_or_go_back(node).await
    }

    async fn stop(&self, node: &Node) -> Result<(), ManagerError> {
        self.end(node).await
    }

    async fn upgrade(&self, node: &Node, to: &NodeBinary) -> Result<(), ManagerError> {
        self.replace_program(node, to).await
    }

    async fn remove(&self, node: &Node) -> Result<(), ManagerError> {
        self.take_away(node).await
    }

    async fn statuses(
        &self,
        nodes: &[Node],
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        self.states(nodes).await
    }

    async fn discover(&self) -> Result<Vec<FoundNode>, ManagerError> {
        self.find().await
    }

    async fn teardown(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        self.take_all_away(nodes).await
    }
}

/// Whether something is at a path, be it a link to nowhere.
fn is_taken(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}
