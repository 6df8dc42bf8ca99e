//! Nodes as systemd units: `systemd+sudo` drives the machine's systemd, `systemd+user` the caller's own.
//!
//! A node is a directory with a copy of the program in it and a unit `antnodeNNNN.service`, which systemd
//! starts with the machine and brings back when it ends. systemd is spoken to over D-Bus where that can be
//! reached and through `systemctl` where not. What came of an act is read from the state of the unit
//! afterwards: systemd calls a start a success although the program does not exist.
#![cfg(target_os = "linux")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod conversation;
mod domain;
mod fault_points;
mod fleet;
mod found;
#[cfg(any(test, feature = "fuzz"))]
pub mod hostile;
mod lingering;
mod looking;
mod making;
mod reload;
mod removal;
mod running;
mod unit;
mod upgrading;

#[cfg(test)]
mod tests;

pub use fault_points::FAULT_POINTS;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
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
use wnm_host::files;
use wnm_host::files::Files;

pub use lingering::{lingering_advice, lingering_off};

use crate::conversation::{Conversation, Either, Systemctl, TalkError};
use crate::domain::Domain;
use crate::reload::Shared;

/// The manager of systemd units.
pub struct Systemd {
    kind: ManagerKind,
    context: ManagerContext,
    domain: Domain,
    unit_dir: PathBuf,
    /// Where units of others may be, besides.
    other_unit_dirs: Vec<PathBuf>,
    files: Arc<dyn Files>,
    talk: Arc<dyn Conversation>,
    reloading: Shared<(), TalkError>,
    enabling: Shared<String, TalkError>,
    disabling: Shared<String, TalkError>,
}

impl Systemd {
    /// A manager of this kind. Touches nothing yet.
    pub fn new(kind: ManagerKind, context: ManagerContext) -> Result<Self, ManagerError> {
        let domain = Domain::of(kind.mode());
        let commands = Systemctl::new(domain.clone(), Arc::clone(&context.runner));
        let talk = Arc::new(Either::new(domain.clone(), commands));
        let unit_dir = domain.unit_dir()?;
        let other_unit_dirs = domain.other_unit_dirs();
        Ok(Self {
            other_unit_dirs,
            ..Self::speaking(kind, context, domain, unit_dir, talk)
        })
    }

    fn speaking(
        kind: ManagerKind,
        context: ManagerContext,
        domain: Domain,
        unit_dir: PathBuf,
        talk: Arc<dyn Conversation>,
    ) -> Self {
        Self {
            files: files::of(kind, &context),
            kind,
            context,
            other_unit_dirs: Vec::new(),
            domain,
            unit_dir,
            talk,
            reloading: Shared::new(),
            enabling: Shared::new(),
            disabling: Shared::new(),
        }
    }

    /// Has systemd read the units anew, once for all who ask at the same time.
    async fn reload(&self) -> Result<(), ManagerError> {
        let reloaded = self.reloading.join((), |_| self.talk.reload()).await;
        Ok(reloaded?)
    }

    /// Has a unit come up with the machine.
    async fn enable(&self, unit: &str) -> Result<(), ManagerError> {
        let all = |units: Vec<String>| async move { self.talk.enable(&units).await };
        let enabled = match self.enabling.join(unit.to_owned(), all).await {
            // It may be another of the batch that was refused.
            Err(TalkError::Rejected { .. }) => self.talk.enable(&[unit.to_owned()]).await,
            other => other,
        };
        Ok(enabled?)
    }

    /// Has a unit not come up with the machine.
    async fn disable(&self, unit: &str) -> Result<(), ManagerError> {
        let all = |units: Vec<String>| async move { self.talk.disable(&units).await };
        let disabled = match self.disabling.join(unit.to_owned(), all).await {
            // It may be another of the batch that was refused, or is gone.
            Err(TalkError::Rejected { .. } | TalkError::NoSuchUnit(_)) => {
                self.talk.disable(&[unit.to_owned()]).await
            }
            other => other,
        };
        match disabled {
            // systemd can still have in memory what is no longer on disk, and that comes up no more.
            Err(TalkError::NoSuchUnit(_)) => Ok(()),
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
        self.kind
    }

    fn policy(&self) -> ManagerPolicy {
        ManagerPolicy {
            ids: IdPolicy::FillHoles,
            lanes: LanePolicy::PerNode,
            restarts_crashed: true,
        }
    }

    async fn prepare(&self, coming: &[Opening]) -> Result<(), ManagerError> {
        let limited = self.limit_fleet().await;
        let opened = self.context.open_ports(coming).await;
        limited.and(opened)
    }

    async fn add(&self, node: &Node, binary: &NodeBinary) -> Result<AddedNode, ManagerError> {
        self.make(node, binary).await
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
        let patterns = looking::patterns(nodes);
        let mut units = self.talk.loaded(&patterns).await?;
        // What runs or failed is loaded. Only what rests may have to be looked for on the disk.
        let is_loaded = |node| unit_of(node).is_ok_and(|unit| units.contains_key(&unit));
        if !nodes.iter().all(is_loaded) {
            units = self.talk.units(&patterns).await?;
        }
        Ok(looking::states(&units, nodes))
    }

    async fn discover(&self) -> Result<Vec<FoundNode>, ManagerError> {
        self.find().await
    }

    async fn release(&self, _nodes: &[Node]) -> Result<(), ManagerError> {
        self.lift_limits().await
    }

    async fn teardown(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        self.take_all_away(nodes).await
    }
}

/// The unit of a node, if its name is one that can stand in a path and a command: as every name is that wnm
/// gave or found. An add that ended in the middle leaves the node's own name on record, which is that of the unit
/// without its ending.
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
        words: format!("'{name}' is no name of a systemd service"),
    })
}
