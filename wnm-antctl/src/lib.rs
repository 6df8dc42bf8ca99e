//! Nodes as services of antctl, the official manager: `antctl+sudo` drives root's, `antctl+user` the caller's own,
//! and `antctl+zen` the caller's own with the places that antctl chooses itself.
//!
//! antctl keeps its services in one file, the registry, which every call of it reads and writes back whole, without
//! a lock. So one call goes on at a time, and what came of an act is looked up afterwards: in the registry, which
//! antctl is asked for, and in the process table. antctl names its services `antnodeN` by its own count, which has
//! nothing to do with the number of a node here; a service is known by its directory.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod arguments;
mod caller;
mod fault_points;
mod found;
#[cfg(any(test, feature = "fuzz"))]
pub mod hostile;
mod lock;
mod looking;
mod making;
mod others;
mod place;
mod process;
mod registry;
mod removal;
mod running;
mod spare;
mod teardown;
mod units;
mod upgrading;
mod version;
mod words;

#[cfg(test)]
mod tests;

pub use fault_points::FAULT_POINTS;
use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use wnm_core::id::NodeId;
use wnm_core::kind::ManagerKind;
use wnm_core::manager::{
    AddedNode, FoundNode, LanePolicy, ManagerContext, ManagerError, ManagerPolicy, ProcessManager,
};
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_core::numbering::IdPolicy;
use wnm_core::program::NodeBinary;
use wnm_host::files;
use wnm_host::files::Files;

use crate::caller::Caller;
use crate::place::Place;
use crate::process::Processes;
use crate::units::Units;

/// The manager of antctl's services.
pub struct Antctl {
    kind: ManagerKind,
    context: ManagerContext,
    files: Arc<dyn Files>,
    caller: Caller,
    units: Units,
    processes: Processes,
}

impl Antctl {
    /// A manager of this kind. Touches nothing yet. `backtrace` is `RUST_BACKTRACE` for antctl.
    pub fn new(
        kind: ManagerKind,
        context: ManagerContext,
        backtrace: Option<String>,
    ) -> Result<Self, ManagerError> {
        let place = Place::of(kind.mode())?;
        Ok(Self::at(place, kind, context, backtrace))
    }

    fn at(
        place: Place,
        kind: ManagerKind,
        context: ManagerContext,
        backtrace: Option<String>,
    ) -> Self {
        let files = files::of(kind, &context);
        let runner = Arc::clone(&context.runner);
        Self {
            caller: Caller::new(&context, place.clone(), Arc::clone(&files), backtrace),
            processes: Processes::of(place.domain),
            units: Units::new(place, runner, Arc::clone(&files)),
            files,
            kind,
            context,
        }
    }
}

#[async_trait]
impl ProcessManager for Antctl {
    fn kind(&self) -> ManagerKind {
        self.kind
    }

    fn policy(&self) -> ManagerPolicy {
        ManagerPolicy {
            ids: IdPolicy::GrowOnly,
            lanes: LanePolicy::Single,
            // Its units say Restart=on-success: what is killed or fails stays down.
            restarts_crashed: false,
        }
    }

    async fn check(&self) -> Result<(), ManagerError> {
        self.caller.check().await
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

    async fn release(&self, _nodes: &[Node]) -> Result<(), ManagerError> {
        self.caller.spare().forget().await
    }

    async fn teardown(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        self.take_all_away(nodes).await
    }
}
