//! The façade that the program and other embedders use: one machine's nodes and everything done with them.
//!
//! ```no_run
//! use wnm_colony::{Colony, CycleOptions, Environment};
//! use wnm_core::registry::{ManagerRegistry, ProgramRegistry};
//!
//! # async fn example(managers: ManagerRegistry, programs: ProgramRegistry)
//! #     -> Result<(), Box<dyn std::error::Error>> {
//! // Everything outside the process is behind a trait; `Environment::system` takes the real ones. Which
//! // supervisors and node programs there are is for the embedder to say.
//! let environment = Environment::system(managers, programs);
//! let mut colony = Colony::open("colony.db".as_ref(), environment).await?;
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
//! println!("{}", report.status.as_str());
//! # Ok(())
//! # }
//! ```

mod adopt;
mod anm;
mod cycle;
mod doctor;
mod ensure_containers;
mod environment;
mod error;
mod force;
mod missing_manager;
mod open;
mod port_openings;
mod release;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use anm::SilencedAnm;
pub use cycle::CycleOptions;
pub use environment::Environment;
pub use error::ColonyError;
pub use force::TeardownReport;
pub use open::python_lock_of;
pub use release::Released;

use crate::lock::ColonyLock;
use crate::store::{Changes, EventQuery, Store};
use wnm_core::event::{Event, EventKind, Outcome};
use wnm_core::machine::Change;
use wnm_core::machine::{InvalidSettings, Machine, MachineLoad, MachineState};
use wnm_core::manager::ProcessManager;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_core::paths::Paths;
use wnm_core::registry::UnregisteredManager;

/// One machine's nodes.
pub struct Colony {
    db: PathBuf,
    store: Arc<Store>,
    machine: Machine,
    manager: Arc<dyn ProcessManager>,
    /// Set where the settings name a manager that this program does not have. [`Self::manager`] then refuses all.
    missing_manager: Option<UnregisteredManager>,
    paths: Paths,
    owner: String,
    environment: Environment,
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

    /// The manager of the settings, where this program does not have it. The colony can be looked at, and nothing
    /// be done with it.
    pub fn missing_manager(&self) -> Option<&UnregisteredManager> {
        self.missing_manager.as_ref()
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
        let now = self.environment.clock.now();
        let storage = &self.machine.node_storage;
        Ok(self
            .environment
            .machine
            .measure(now, storage, None)
            .await?
            .load)
    }

    /// The process of a node, where its supervisor knows one that runs.
    pub async fn process_of(&self, node: &Node) -> Result<Option<u32>, ColonyError> {
        let kind = self.machine.manager.clone();
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

    /// What wnm keeps of the machine besides its settings.
    pub async fn machine_state(&self) -> Result<MachineState, ColonyError> {
        Ok(self.store.machine_state().await?)
    }

    /// Goes on with other settings, for this run only.
    ///
    /// # Errors
    ///
    /// The settings have a conflict that those in use have not, or their manager cannot be had.
    pub fn use_machine(&mut self, machine: Machine) -> Result<(), ColonyError> {
        self.check_new(&machine)?;
        let built = match self.lock {
            Some(_) => open::build_manager(&self.environment, &machine)?,
            None => open::build_manager_or_none(&self.environment, &machine)?,
        };
        self.manager = built.manager;
        self.missing_manager = built.missing;
        self.paths = built.paths;
        self.owner = built.owner;
        self.machine = machine;
        Ok(())
    }

    /// Refuses settings for what those in use do not have: a colony that runs with odd settings goes on.
    fn check_new(&self, machine: &Machine) -> Result<(), InvalidSettings> {
        let managers = &self.environment.managers;
        let present = managers.conflicts(&self.machine);
        let mut conflicts = managers.conflicts(machine);
        conflicts.retain(|conflict| !present.contains(conflict));
        match conflicts.is_empty() {
            true => Ok(()),
            false => Err(InvalidSettings { conflicts }),
        }
    }

    /// Goes on with other settings and stores them, with what changed in the journal. What wnm keeps of the machine
    /// besides stays as it is.
    ///
    /// # Errors
    ///
    /// Those of [`use_machine`](Self::use_machine), or the settings cannot be stored.
    pub async fn store_machine(
        &mut self,
        machine: Machine,
        changes: &[Change],
    ) -> Result<(), ColonyError> {
        self.store_settings(machine, None, changes).await
    }

    /// [`store_machine`](Self::store_machine), and with a state what wnm keeps of the machine: for a person who sets
    /// that by hand.
    pub async fn store_settings(
        &mut self,
        machine: Machine,
        state: Option<MachineState>,
        changes: &[Change],
    ) -> Result<(), ColonyError> {
        self.use_machine(machine)?;
        let at = self.environment.clock.now();
        let events = changes
            .iter()
            .map(|change| {
                let kind = EventKind::Setting(change.clone());
                Event::new(at, kind, Outcome::Done, change.to_string())
            })
            .collect();
        let changes = Changes {
            machine: Some(self.machine.clone()),
            state,
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
