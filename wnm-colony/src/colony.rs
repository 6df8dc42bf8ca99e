//! The façade that the program and other embedders use: one machine's nodes and everything done with them.
//!
//! ```no_run
//! use std::sync::Arc;
//! use crate::colony::{Colony, CycleOptions, Outside};
//! use wnm_core::manager::{ManagerContext, ManagerError, ManagerKind, ProcessManager};
//!
//! # fn my_manager(_: ManagerKind, _: ManagerContext) -> Result<Arc<dyn ProcessManager>, ManagerError> {
//! #     Err(ManagerError::NotFound("a manager".to_owned()))
//! # }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! // Everything outside the process is behind a trait; `Outside::system` takes the real ones. Which
//! // supervisors there are is for the embedder to say: here one function that builds them.
//! let outside = Outside::system(Arc::new(my_manager));
//! let mut colony = Colony::open("colony.db".as_ref(), outside).await?;
//!
//! // What would be done, and why, without doing it:
//! let (snapshot, plan) = colony.plan(&CycleOptions::default()).await?;
//! for step in &plan.steps {
//!     println!("{} node {}: {}", step.act.word(), step.node, step.reason);
//! }
//! println!("{} nodes looked at", snapshot.nodes.len());
//!
//! // One cycle: look, decide, act, record.
//! let report = colony.cycle(&CycleOptions::default()).await?;
//! println!("{}", report.status.word());
//! # Ok(())
//! # }
//! ```

mod adopt;
mod anm;
mod cycle;
mod doctor;
mod ensure_containers;
mod error;
mod force;
mod open;
mod outside;
mod port_openings;
mod release;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use anm::SilencedAnm;
pub use cycle::CycleOptions;
pub use error::ColonyError;
pub use force::TeardownReport;
pub use open::python_lock_of;
#[cfg(any(test, feature = "mock"))]
pub use outside::MockManagerFactory;
pub use outside::{ManagerFactory, Outside};
pub use release::Released;

use crate::lock::ColonyLock;
use crate::store::{Changes, EventQuery, Store};
use wnm_core::event::{Event, Outcome};
use wnm_core::machine::Change;
use wnm_core::machine::{Machine, MachineLoad};
use wnm_core::manager::ProcessManager;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_core::paths::Paths;

/// One machine's nodes.
pub struct Colony {
    db: PathBuf,
    store: Arc<Store>,
    machine: Machine,
    manager: Arc<dyn ProcessManager>,
    paths: Paths,
    owner: String,
    outside: Outside,
    /// Held for as long as the colony may be changed.
    lock: Option<ColonyLock>,
}

impl Colony {
    /// The machine's settings.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The settings as the database has them: the Python wnm stores `~` in paths, and what was given for this run is
    /// not there.
    pub async fn stored_machine(&self) -> Result<Option<Machine>, ColonyError> {
        Ok(self.store.machine().await?)
    }

    /// Where the database is.
    pub fn database(&self) -> &Path {
        &self.db
    }

    /// Every node as it was last recorded, by number. Nothing is asked.
    pub async fn nodes(&self) -> Result<Vec<Node>, ColonyError> {
        Ok(self.store.nodes().await?)
    }

    /// The journal.
    pub async fn events(&self, query: &EventQuery) -> Result<Vec<Event>, ColonyError> {
        Ok(self.store.events(query).await?)
    }

    /// The machine's load as the last cycle measured it; measured now where there was none.
    pub async fn last_load(&self) -> Result<MachineLoad, ColonyError> {
        if let Some(load) = self.store.cycle_state().await?.load {
            return Ok(load);
        }
        let now = self.outside.clock.now();
        let storage = &self.machine.node_storage;
        Ok(self.outside.machine.measure(now, storage, None).await?.load)
    }

    /// The process of a node, where its supervisor knows one that runs.
    pub async fn process_of(&self, node: &Node) -> Result<Option<u32>, ColonyError> {
        let kind = self.machine.manager;
        let statuses = self
            .manager
            .statuses(std::slice::from_ref(node))
            .await
            .map_err(|source| ColonyError::Manager { kind, source })?;
        Ok(match statuses.get(&node.id) {
            Some(ProcessState::Running { pid }) => *pid,
            _ => None,
        })
    }

    /// Goes on with other settings, for this run only.
    pub fn use_machine(&mut self, machine: Machine) -> Result<(), ColonyError> {
        let home = self.outside.home.as_deref();
        let (manager, paths, owner) = open::build_manager(&self.outside, &machine, home)?;
        self.manager = manager;
        self.paths = paths;
        self.owner = owner;
        self.machine = machine;
        Ok(())
    }

    /// Goes on with other settings and stores them, with what changed in the journal.
    pub async fn store_machine(
        &mut self,
        machine: Machine,
        changes: &[Change],
    ) -> Result<(), ColonyError> {
        self.use_machine(machine)?;
        let at = self.outside.clock.now();
        let events = changes
            .iter()
            .map(|change| Event {
                at,
                node: None,
                action: "set".to_owned(),
                outcome: Outcome::Done,
                reason: change.to_string(),
            })
            .collect();
        let changes = Changes {
            machine: Some(self.machine.clone()),
            events,
            ..Changes::default()
        };
        Ok(self.store.record(&changes).await?)
    }

    /// Closes the database, so that nothing that SQLite keeps beside it stays behind. One that is still in use
    /// elsewhere is closed when that ends.
    pub async fn close(self) -> Result<(), ColonyError> {
        match Arc::try_unwrap(self.store) {
            Ok(store) => Ok(store.close().await?),
            Err(_) => Ok(()),
        }
    }

    /// A lock file of the Python wnm that is too old to be of a live run, if there is one.
    pub fn stale_python_lock(&self) -> Option<&Path> {
        self.lock
            .as_ref()
            .and_then(|lock| lock.stale_python_lock.as_deref())
    }
}
