//! Making a colony and opening one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::missing_manager::MissingManager;
use super::{Colony, ColonyError, Environment, adopt};
use crate::lock::ColonyLock;
use crate::observe::mark_storage;
use crate::store::{Access, Changes, CycleState, Store, StoreError};
use crate::takeover::Adoption;
use wnm_core::event::{Event, EventKind, Outcome};
use wnm_core::firewall::Firewall;
use wnm_core::kind::Mode;
use wnm_core::machine::Machine;
use wnm_core::manager::{ManagerContext, ProcessManager};
use wnm_core::paths::{Paths, UnknownHome};
use wnm_core::registry::UnregisteredManager;
use wnm_host::firewall::SystemFirewall;

/// The account that nodes run under in sudo mode.
const SUDO_OWNER: &str = "ant";

/// Name of the lock file of the Python wnm. It lies in the state directory of the mode, wherever the database
/// is.
const PYTHON_LOCK: &str = "wnm_active";

impl Colony {
    /// Opens a colony to be worked on. Nobody else can until it is dropped.
    ///
    /// # Errors
    ///
    /// There is no colony, another run works on it, its database cannot be used, or its manager is not registered
    /// or cannot be built here. Nothing is changed then.
    pub async fn open(db: &Path, environment: Environment) -> Result<Self, ColonyError> {
        // Looking first keeps a lock file from being left beside a database that is not there.
        let view = Store::open(db, Access::View)
            .await
            .map_err(|e| missing(e, db))?;
        let Some(machine) = machine_in(view).await? else {
            return Err(ColonyError::NotInitialized(db.to_owned()));
        };
        environment.managers.factory(&machine.manager)?;
        let lock = take_lock(db, &machine, &environment)?;
        let store = Store::open(db, Access::ReadWrite)
            .await
            .map_err(|e| missing(e, db))?;
        Self::assemble(db, store, environment, Some(lock)).await
    }

    /// Opens a colony to be looked at: nothing is written, nothing is locked, and a database of an older
    /// program is read without being changed.
    ///
    /// A colony whose manager is not registered opens too; [`missing_manager`](Self::missing_manager) says so.
    pub async fn view(db: &Path, environment: Environment) -> Result<Self, ColonyError> {
        let store = Store::open(db, Access::View)
            .await
            .map_err(|e| missing(e, db))?;
        Self::assemble(db, store, environment, None).await
    }

    /// Makes a colony without nodes. Everything is checked before anything is made.
    pub async fn init(
        db: &Path,
        machine: Machine,
        environment: Environment,
    ) -> Result<Self, ColonyError> {
        Self::init_with(db, machine, &Adoption::default(), environment).await
    }

    /// Makes a colony of nodes that are there: with all of them from its first moment, or not at all.
    pub async fn init_with(
        db: &Path,
        mut machine: Machine,
        adoption: &Adoption,
        environment: Environment,
    ) -> Result<Self, ColonyError> {
        Self::check_not_initialized(db).await?;
        environment.program.version(&machine.antnode_path).await?;
        let Built { manager, paths, .. } = build_manager(&environment, &machine)?;
        check_manager(manager.as_ref()).await?;
        machine.highest_id = adopt::highest_id(&machine, manager.as_ref(), adoption);

        for dir in [db.parent().unwrap_or(Path::new(".")), &paths.node_storage] {
            make_writable(dir)?;
        }
        mark_storage(&paths.node_storage).map_err(|source| ColonyError::Storage {
            path: paths.node_storage.clone(),
            source,
        })?;
        let lock = take_lock(db, &machine, &environment)?;
        // A Python wnm that could not find its migrations leaves a database with tables and no rows.
        let store = match Store::open(db, Access::ReadWrite).await {
            Err(StoreError::Missing { .. }) => Store::create(db).await?,
            opened => opened?,
        };
        let now = environment.clock.now();
        // So that the first cycle has something to continue from, and a report something to show.
        let reading = environment
            .machine
            .measure(now, &paths.node_storage, None)
            .await?;
        let mut events = vec![Event::new(
            now,
            EventKind::Initialized,
            Outcome::Done,
            format!("{} under {}", db.display(), machine.manager),
        )];
        events.extend(adopt::events(adoption, now));
        let changes = Changes {
            cycle: Some(CycleState {
                boot_id: Some(environment.machine.boot_id()?),
                counters: serde_json::to_value(&reading.counters).ok(),
                load: Some(reading.load),
                last_cycle_at: None,
            }),
            events,
            nodes: adoption.nodes.clone(),
            machine: Some(machine),
            ..Changes::default()
        };
        store.record(&changes).await?;
        Self::assemble(db, store, environment, Some(lock)).await
    }

    /// What [`init`](Self::init) would check, with nothing made.
    pub async fn check_init(
        db: &Path,
        machine: &Machine,
        environment: &Environment,
    ) -> Result<(), ColonyError> {
        Self::check_not_initialized(db).await?;
        environment.program.version(&machine.antnode_path).await?;
        let built = build_manager(environment, machine)?;
        check_manager(built.manager.as_ref()).await
    }

    /// Refuses a database that holds a colony.
    pub async fn check_not_initialized(db: &Path) -> Result<(), ColonyError> {
        match Store::open(db, Access::View).await {
            Ok(store) => match machine_in(store).await? {
                Some(_) => Err(ColonyError::AlreadyInitialized(db.to_owned())),
                None => Ok(()),
            },
            Err(StoreError::Missing { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn assemble(
        db: &Path,
        store: Store,
        environment: Environment,
        lock: Option<ColonyLock>,
    ) -> Result<Self, ColonyError> {
        let built = match store.machine().await {
            Ok(Some(machine)) => match &lock {
                Some(_) => build_manager(&environment, &machine),
                None => build_manager_or_none(&environment, &machine),
            }
            .map(|built| (machine, built)),
            Ok(None) => Err(ColonyError::NotInitialized(db.to_owned())),
            Err(error) => Err(error.into()),
        };
        let (machine, built) = match built {
            Ok(built) => built,
            Err(error) => {
                store.close().await?;
                return Err(error);
            }
        };
        Ok(Self {
            db: db.to_owned(),
            store: Arc::new(store),
            machine,
            manager: built.manager,
            missing_manager: built.missing,
            paths: built.paths,
            owner: built.owner,
            environment,
            lock,
        })
    }
}

/// The machine's settings, with the database closed again whatever came of it: what is not closed leaves
/// files of SQLite behind.
async fn machine_in(store: Store) -> Result<Option<Machine>, StoreError> {
    let machine = store.machine().await;
    store.close().await?;
    machine
}

/// A manager and what it was built with.
pub(super) struct Built {
    pub manager: Arc<dyn ProcessManager>,
    /// Why it is a stand-in, where it is one.
    pub missing: Option<UnregisteredManager>,
    pub paths: Paths,
    pub owner: String,
}

/// The manager that the settings name, the paths it uses and the account it runs nodes under.
pub(super) fn build_manager(
    environment: &Environment,
    machine: &Machine,
) -> Result<Built, ColonyError> {
    let kind = &machine.manager;
    let factory = environment.managers.factory(kind)?;
    let context = context(environment, machine);
    let (paths, owner) = (context.paths.clone(), context.owner.clone());
    let manager = factory.build(kind, context);
    let manager = manager.map_err(|source| ColonyError::Manager {
        kind: kind.clone(),
        source,
    })?;
    Ok(Built {
        manager,
        missing: None,
        paths,
        owner,
    })
}

/// The same to look at a colony: with a stand-in for a manager that is not registered.
pub(super) fn build_manager_or_none(
    environment: &Environment,
    machine: &Machine,
) -> Result<Built, ColonyError> {
    match build_manager(environment, machine) {
        Err(ColonyError::NoManager(missing)) => {
            let context = context(environment, machine);
            Ok(Built {
                manager: Arc::new(MissingManager(missing.clone())),
                missing: Some(missing),
                paths: context.paths,
                owner: context.owner,
            })
        }
        built => built,
    }
}

async fn check_manager(manager: &dyn ProcessManager) -> Result<(), ColonyError> {
    let kind = manager.kind();
    let checked = manager.check().await;
    checked.map_err(|source| ColonyError::Manager { kind, source })
}

/// What the manager that the settings name is built from.
pub(super) fn context(environment: &Environment, machine: &Machine) -> ManagerContext {
    let mode = machine.manager.mode();
    let storage = &machine.node_storage;
    let paths = match Paths::for_mode(mode, environment.home.as_deref()) {
        Ok(paths) => paths.with_node_storage(storage),
        Err(UnknownHome) => Paths::below(storage),
    };
    ManagerContext {
        program: Arc::clone(&environment.program),
        runner: Arc::clone(&environment.runner),
        firewall: firewall_of(environment, machine),
        paths,
        launch: machine.launch.clone(),
        owner: match mode {
            Mode::Sudo => SUDO_OWNER.to_owned(),
            Mode::User | Mode::Zen => current_user(),
        },
        machine: machine.clone(),
    }
}

fn firewall_of(environment: &Environment, machine: &Machine) -> Arc<dyn Firewall> {
    environment.firewall.clone().unwrap_or_else(|| {
        let (mode, runner) = (machine.manager.mode(), Arc::clone(&environment.runner));
        Arc::new(SystemFirewall::new(machine.firewall, mode, runner))
    })
}

fn current_user() -> String {
    let uid = nix::unistd::geteuid();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        Ok(None) | Err(_) => uid.to_string(),
    }
}

fn take_lock(
    db: &Path,
    machine: &Machine,
    environment: &Environment,
) -> Result<ColonyLock, ColonyError> {
    let python_lock = python_lock_beside(db, machine.manager.mode(), environment.home.as_deref());
    Ok(ColonyLock::acquire(
        db,
        &python_lock,
        environment.clock.now(),
    )?)
}

/// Where a Python wnm of this mode keeps its lock file.
pub fn python_lock_of(mode: Mode, home: Option<&Path>) -> Result<PathBuf, UnknownHome> {
    Ok(Paths::for_mode(mode, home)?.state.join(PYTHON_LOCK))
}

/// The same; without a home directory, where there is no Python wnm either, it is looked for beside the database.
pub(super) fn python_lock_beside(db: &Path, mode: Mode, home: Option<&Path>) -> PathBuf {
    python_lock_of(mode, home).unwrap_or_else(|UnknownHome| db.with_file_name(PYTHON_LOCK))
}

fn make_writable(dir: &Path) -> Result<(), ColonyError> {
    let attempt = || -> io::Result<()> {
        std::fs::create_dir_all(dir)?;
        // Permissions alone do not tell of a read-only or full file system.
        let mut probe = tempfile::tempfile_in(dir)?;
        io::Write::write_all(&mut probe, &[0; 4096])?;
        probe.sync_all()
    };
    attempt().map_err(|source| ColonyError::Storage {
        path: dir.to_owned(),
        source,
    })
}

fn missing(error: StoreError, db: &Path) -> ColonyError {
    match error {
        StoreError::Missing { .. } => ColonyError::NotInitialized(db.to_owned()),
        other => other.into(),
    }
}
