//! Runs nodes as plain detached processes. It needs nothing installed, so it is the default for programs that
//! embed wnm.
//!
//! A node is a directory with its own copy of the node program. A started node leads its own session, so it
//! outlives wnm, the terminal and the login. Every call reads the process table to find running nodes: it finds
//! a node that replaced itself under a new pid, and it never trusts a pid file. Nothing restarts a crashed node
//! until the next cycle does.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod add;
mod detach;
mod discover;
mod factory;
mod fault_points;
mod handle;
mod matching;
mod output;
mod output_file;
mod process_ops;
mod process_ref;
mod rejection;
mod remove;
mod start;
mod status;
mod stop;
mod table;
mod teardown;
mod upgrade;

#[cfg(test)]
mod tests;

pub use factory::{SUDO, SetsidFactory, USER};
pub use fault_points::FAULT_POINTS;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use wnm_core::firewall::Opening;
use wnm_core::id::NodeId;
use wnm_core::kind::ManagerKind;
use wnm_core::manager::{
    AddedNode, FoundNode, LanePolicy, ManagerContext, ManagerError, ManagerPolicy, Outcomes,
    ProcessManager, Reset, each,
};
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_core::numbering::IdPolicy;
use wnm_core::program::NodeBinary;
use wnm_host::blocking;
use wnm_host::files;
use wnm_host::files::Files;

use crate::discover::NodeSearch;
use crate::process_ops::ProcessOps;
use crate::table::Table;

/// How long a node may take to exit after SIGTERM. A node writes its records as they arrive, so it waits only
/// for a loaded disk.
pub const GRACE: Duration = Duration::from_secs(10);

/// The manager for `setsid+user` and `setsid+sudo`.
///
/// In sudo mode nodes run as the context's `owner`. As root the manager does everything itself; otherwise it
/// uses `sudo -n`, and util-linux's `setsid` must be installed.
pub struct Setsid {
    kind: ManagerKind,
    context: ManagerContext,
    files: Arc<dyn Files>,
    process_ops: Box<dyn ProcessOps>,
    table: Table,
    grace: Duration,
}

impl Setsid {
    /// Creates the manager. Performs no I/O.
    pub fn new(kind: ManagerKind, context: ManagerContext) -> Self {
        Self {
            files: files::of(&kind, &context),
            process_ops: process_ops::for_kind(&kind, &context),
            kind,
            context,
            table: Table::system(),
            grace: GRACE,
        }
    }

    /// Sets how long to wait between SIGTERM and SIGKILL.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }
}

#[async_trait]
impl ProcessManager for Setsid {
    fn kind(&self) -> ManagerKind {
        self.kind.clone()
    }

    fn policy(&self) -> ManagerPolicy {
        ManagerPolicy {
            ids: IdPolicy::FillHoles,
            lanes: LanePolicy::PerNode,
            restarts_crashed: false,
            opens_ports: true,
            ..ManagerPolicy::default()
        }
    }

    async fn prepare(&self, openings: &[Opening]) -> Result<(), ManagerError> {
        self.context.open_ports(openings).await
    }

    async fn add(&self, nodes: &[Node], binary: &NodeBinary) -> Outcomes<AddedNode> {
        each(nodes, |node| self.add_node(node, binary)).await
    }

    async fn start(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, |node| async move {
            self.context.open_port(node).await?;
            self.start_or_roll_back(node).await
        })
        .await
    }

    async fn stop(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, |node| self.stop_processes(node)).await
    }

    async fn upgrade(&self, nodes: &[Node], to: &NodeBinary) -> Outcomes<()> {
        each(nodes, |node| self.replace_program(node, to)).await
    }

    async fn remove(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, |node| self.remove_node(node)).await
    }

    async fn statuses(
        &self,
        nodes: &[Node],
    ) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
        let (table, nodes) = (self.readable_table()?, nodes.to_vec());
        blocking(move || status::statuses(&table, &nodes)).await
    }

    async fn discover(&self) -> Result<Vec<FoundNode>, ManagerError> {
        let search = NodeSearch {
            table: self.readable_table()?,
            paths: self.context.paths.clone(),
            bases: self.context.machine.ports,
            program: self.context.program.name().to_owned(),
        };
        blocking(move || search.run()).await
    }

    fn reset(&self) -> Option<&dyn Reset> {
        Some(self)
    }
}
