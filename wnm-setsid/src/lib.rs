//! Nodes as plain detached processes: nothing has to be installed, so this is what an embedder gets when it
//! asks for nothing else.
//!
//! A node is a directory with a copy of the program in it. Started, it leads a session of its own, so that it
//! outlives wnm, the terminal and the login. Which nodes run is read from the process table each time: a node
//! that replaced itself and goes by another number is found again, and a number in a file is never believed.
//! Nothing brings back a node that died; the next cycle does.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod detach;
mod ending;
mod fault_points;
mod found;
mod hands;
mod kin;
mod launching;
mod looking;
mod output;
mod process;
mod rejection;
mod removal;
mod table;
mod teardown;
mod upgrading;
mod watch;

#[cfg(test)]
mod tests;

pub use fault_points::FAULT_POINTS;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use wnm_core::fault;
use wnm_core::firewall::Opening;
use wnm_core::id::NodeId;
use wnm_core::kind::ManagerKind;
use wnm_core::manager::{
    AddedNode, FoundNode, LanePolicy, ManagerContext, ManagerError, ManagerPolicy, ProcessManager,
};
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_core::numbering::IdPolicy;
use wnm_core::program::NodeBinary;
use wnm_host::blocking;
use wnm_host::files;
use wnm_host::files::Files;
use wnm_host::layout;

use crate::found::Search;
use crate::hands::Hands;
use crate::table::Table;

/// How long a node may take to end after it was asked: it writes its records as they come, so a loaded disk
/// is all it waits for.
pub const GRACE: Duration = Duration::from_secs(10);

/// The manager of detached processes, `setsid+user` and `setsid+sudo`.
///
/// In sudo mode nodes run as the owner that the context names. Called as root it does everything itself;
/// otherwise through `sudo -n`, for which util-linux's `setsid` must be installed.
pub struct Setsid {
    kind: ManagerKind,
    context: ManagerContext,
    files: Arc<dyn Files>,
    hands: Box<dyn Hands>,
    table: Table,
    grace: Duration,
}

impl Setsid {
    /// A manager of this kind. Touches nothing yet.
    pub fn new(kind: ManagerKind, context: ManagerContext) -> Self {
        Self {
            files: files::of(kind, &context),
            hands: hands::of(kind, &context),
            kind,
            context,
            table: Table::system(),
            grace: GRACE,
        }
    }

    /// With another time between asking a node to end and ending it.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }
}

#[async_trait]
impl ProcessManager for Setsid {
    fn kind(&self) -> ManagerKind {
        self.kind
    }

    fn policy(&self) -> ManagerPolicy {
        ManagerPolicy {
            ids: IdPolicy::FillHoles,
            lanes: LanePolicy::PerNode,
            restarts_crashed: false,
        }
    }

    async fn prepare(&self, coming: &[Opening]) -> Result<(), ManagerError> {
        self.context.open_ports(coming).await
    }

    async fn add(&self, node: &Node, binary: &NodeBinary) -> Result<AddedNode, ManagerError> {
        let paths = &self.context.paths;
        layout::check_storage(paths)?;
        let (root_dir, log_dir) = (paths.node_dir(node.id), paths.log_dir(node.id));
        self.files.own_directory(&root_dir).await?;
        self.files.own_directory(&log_dir).await?;
        self.files.directory(&paths.bootstrap_cache).await?;
        fault::point("setsid.add.directories");
        let copy = root_dir.join(self.context.program.name());
        self.files.install_unless_same(&binary.path, &copy).await?;
        fault::point("setsid.add.binary");
        Ok(AddedNode {
            service: node.id.directory_name(),
            binary: copy,
            root_dir,
            log_dir: Some(log_dir),
            ports: node.ports,
            container: None,
        })
    }

    async fn start(&self, node: &Node) -> Result<(), ManagerError> {
        self.context.open_port(node).await?;
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
        let (table, nodes) = (self.view()?, nodes.to_vec());
        blocking(move || looking::states(&table, &nodes)).await
    }

    async fn discover(&self) -> Result<Vec<FoundNode>, ManagerError> {
        let search = Search {
            table: self.view()?,
            paths: self.context.paths.clone(),
            bases: self.context.machine.ports,
            program: self.context.program.name(),
        };
        blocking(move || search.run()).await
    }

    async fn teardown(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        self.take_all_away(nodes).await
    }
}
