//! Runs nodes as systemd units: `systemd+sudo` uses the system manager, `systemd+user` the caller's
//! user manager.
//!
//! Each node has a directory with its own copy of the program and a unit `antnodeNNNN.service`.
//! systemd starts the unit at boot and restarts it when it exits. This crate talks to systemd over
//! D-Bus if it can, and through `systemctl` otherwise. It judges the result of every change by
//! reading the unit state afterwards, because systemd reports success even when it starts a program
//! that does not exist.
#![cfg(target_os = "linux")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod add;
mod batch;
mod client;
mod discover;
mod domain;
mod factory;
mod fault_points;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzzing;
mod lingering;
mod options;
mod remove;
mod slice;
mod start_stop;
mod status;
mod unit;
mod upgrade;

#[cfg(test)]
mod tests;

pub use factory::{SUDO, SystemdFactory, USER};
pub use fault_points::FAULT_POINTS;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

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
use wnm_host::files;
use wnm_host::files::Files;

use crate::batch::Batcher;
use crate::client::{Client, ClientError, FallbackClient, Systemctl};
use crate::domain::Domain;

/// Manages nodes as systemd units.
pub struct Systemd {
    kind: ManagerKind,
    context: ManagerContext,
    domain: Domain,
    unit_dir: PathBuf,
    /// Other directories that may hold units, in systemd's order of precedence.
    other_unit_dirs: Vec<PathBuf>,
    files: Arc<dyn Files>,
    client: Arc<dyn Client>,
    reload_batch: Batcher<(), ClientError>,
    enable_batch: Batcher<String, ClientError>,
    disable_batch: Batcher<String, ClientError>,
}

impl Systemd {
    /// Creates a manager of this kind. Changes nothing yet.
    pub fn new(kind: ManagerKind, context: ManagerContext) -> Result<Self, ManagerError> {
        let domain = Domain::for_mode(kind.mode());
        let commands = Systemctl::new(domain.clone(), Arc::clone(&context.runner));
        let client = Arc::new(FallbackClient::new(domain.clone(), commands));
        let unit_dir = domain.unit_dir()?;
        let other_unit_dirs = domain.other_unit_dirs();
        Ok(Self {
            other_unit_dirs,
            ..Self::with_client(kind, context, domain, unit_dir, client)
        })
    }

    fn with_client(
        kind: ManagerKind,
        context: ManagerContext,
        domain: Domain,
        unit_dir: PathBuf,
        client: Arc<dyn Client>,
    ) -> Self {
        Self {
            files: files::of(&kind, &context),
            kind,
            context,
            other_unit_dirs: Vec::new(),
            domain,
            unit_dir,
            client,
            reload_batch: Batcher::new(),
            enable_batch: Batcher::new(),
            disable_batch: Batcher::new(),
        }
    }

    /// Reloads all unit files. Concurrent callers share one reload.
    async fn reload(&self) -> Result<(), ManagerError> {
        let reloaded = self.reload_batch.join((), |_| self.client.reload()).await;
        Ok(reloaded?)
    }

    /// Enables a unit at boot. Concurrent callers share one request.
    async fn enable(&self, unit: &str) -> Result<(), ManagerError> {
        let all = |units: Vec<String>| async move { self.client.enable(&units).await };
        let enabled = match self.enable_batch.join(unit.to_owned(), all).await {
            // Another unit in the batch may be the cause, so retry this one alone.
            Err(ClientError::Rejected { .. }) => self.client.enable(&[unit.to_owned()]).await,
            other => other,
        };
        Ok(enabled?)
    }

    /// Disables a unit at boot. Concurrent callers share one request.
    async fn disable(&self, unit: &str) -> Result<(), ManagerError> {
        let all = |units: Vec<String>| async move { self.client.disable(&units).await };
        let disabled = match self.disable_batch.join(unit.to_owned(), all).await {
            // Another unit in the batch may be the cause, so retry this one alone.
            Err(ClientError::Rejected { .. } | ClientError::NoSuchUnit(_)) => {
                self.client.disable(&[unit.to_owned()]).await
            }
            other => other,
        };
        match disabled {
            // The unit is gone from disk even if systemd still has it in memory. It cannot start at
            // boot.
            Err(ClientError::NoSuchUnit(_)) => Ok(()),
            other => Ok(other?),
        }
    }

    fn unit_path(&self, unit: &str) -> PathBuf {
        self.unit_dir.join(unit)
    }
}

#[async_trait]
impl ProcessManager for Systemd {
    fn kind(&self) -> ManagerKind {
        self.kind.clone()
    }

    fn policy(&self) -> ManagerPolicy {
        ManagerPolicy {
            ids: IdPolicy::FillHoles,
            lanes: LanePolicy::PerNode,
            restarts_crashed: true,
            opens_ports: true,
            ..ManagerPolicy::default()
        }
    }

    async fn prepare(&self, openings: &[Opening]) -> Result<(), ManagerError> {
        let limited = self.apply_fleet_limits().await;
        let opened = self.context.open_ports(openings).await;
        limited.and(opened)
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
        let patterns = status::patterns(nodes);
        let mut units = self.client.loaded(&patterns).await?;
        // systemd keeps running and failed units loaded. Only idle units need the slower listing
        // from disk.
        let is_loaded = |node| unit_of(node).is_ok_and(|unit| units.contains_key(&unit));
        if !nodes.iter().all(is_loaded) {
            units = self.client.units(&patterns).await?;
        }
        Ok(status::states(&units, nodes))
    }

    async fn discover(&self) -> Result<Vec<FoundNode>, ManagerError> {
        self.discover_nodes().await
    }

    async fn release(&self, _nodes: &[Node]) -> Result<(), ManagerError> {
        self.remove_fleet_limits().await
    }

    fn reset(&self) -> Option<&dyn Reset> {
        Some(self)
    }
}

/// Returns the unit name of a node, if it is safe in a path and on a command line. Every name that
/// wnm assigned or discovered is.
///
/// An interrupted add leaves the directory name on record, which is the unit name without
/// `.service`.
fn unit_of(node: &Node) -> Result<String, ManagerError> {
    let mut name = node.service.clone();
    if name == node.id.directory_name() {
        name.push_str(".service");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:@".contains(c);
    let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if starts && name.ends_with(".service") && name.chars().all(plain) {
        return Ok(name);
    }
    Err(ManagerError::Rejected {
        what: format!("node {}", node.id),
        words: format!("'{name}' is not a valid systemd service name"),
    })
}
