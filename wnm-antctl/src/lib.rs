//! Runs nodes as services of antctl, the official node manager. `antctl+sudo` drives root's antctl,
//! `antctl+user` the caller's own, and `antctl+zen` the caller's own with paths that antctl chooses.
//!
//! antctl keeps its services in one file, the registry. Every call reads it and writes it back whole, without a
//! lock. So wnm makes one call at a time and afterwards checks the result in the registry and in the process
//! table. antctl names services `antnodeN` by its own count, which has nothing to do with wnm's node ids; wnm
//! identifies a service by its directory.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod add;
mod arguments;
mod client;
mod discover;
mod factory;
mod fault_points;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzzing;
mod layout;
mod lock;
mod options;
mod other_callers;
mod output;
mod process_table;
mod registry;
mod registry_backup;
mod remove;
mod start_stop;
mod status;
mod teardown;
mod units;
mod upgrade;
mod version;

#[cfg(test)]
mod tests;

pub use factory::{AntctlFactory, SUDO, USER, ZEN};
pub use fault_points::FAULT_POINTS;
use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
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
use wnm_host::files;
use wnm_host::files::Files;

use crate::client::Client;
use crate::layout::Layout;
use crate::process_table::ProcessTable;
use crate::units::Units;

/// The manager for antctl's services.
pub struct Antctl {
    kind: ManagerKind,
    context: ManagerContext,
    files: Arc<dyn Files>,
    client: Client,
    units: Units,
    process_table: ProcessTable,
}

impl Antctl {
    /// Creates the manager. Performs no I/O. `backtrace` is `RUST_BACKTRACE` for antctl.
    ///
    /// Fails in user and zen mode if `HOME` is not set.
    pub fn new(
        kind: ManagerKind,
        context: ManagerContext,
        backtrace: Option<String>,
    ) -> Result<Self, ManagerError> {
        let layout = Layout::for_mode(kind.mode())?;
        Ok(Self::at(layout, kind, context, backtrace))
    }

    fn at(
        layout: Layout,
        kind: ManagerKind,
        context: ManagerContext,
        backtrace: Option<String>,
    ) -> Self {
        let files = files::of(&kind, &context);
        let runner = Arc::clone(&context.runner);
        Self {
            client: Client::new(&context, layout.clone(), Arc::clone(&files), backtrace),
            process_table: ProcessTable::for_ownership(layout.ownership),
            units: Units::new(layout, runner, Arc::clone(&files)),
            files,
            kind,
            context,
        }
    }
}

#[async_trait]
impl ProcessManager for Antctl {
    fn kind(&self) -> ManagerKind {
        self.kind.clone()
    }

    fn policy(&self) -> ManagerPolicy {
        ManagerPolicy {
            ids: IdPolicy::GrowOnly,
            lanes: LanePolicy::Single,
            // Its units say Restart=on-success: a node that fails or is killed stays down.
            restarts_crashed: false,
            ..ManagerPolicy::default()
        }
    }

    async fn check(&self) -> Result<(), ManagerError> {
        self.client.check().await
    }

    async fn add(&self, nodes: &[Node], binary: &NodeBinary) -> Outcomes<AddedNode> {
        each(nodes, |node| self.add_service(node, binary)).await
    }

    async fn start(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, |node| self.start_or_roll_back(node)).await
    }

    async fn stop(&self, nodes: &[Node]) -> Outcomes<()> {
        each(nodes, |node| self.stop_node(node)).await
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
        self.service_states(nodes).await
    }

    async fn discover(&self) -> Result<Vec<FoundNode>, ManagerError> {
        self.discover_services().await
    }

    async fn release(&self, _nodes: &[Node]) -> Result<(), ManagerError> {
        self.client.registry_backup().delete().await
    }

    fn reset(&self) -> Option<&dyn Reset> {
        Some(self)
    }
}
