//! Making a colony and opening one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Colony, ColonyError, Outside, adopt};
use crate::lock::ColonyLock;
use crate::observe::mark_storage;
use crate::store::{Access, Changes, CycleState, Store, StoreError};
use crate::takeover::Adoption;
use wnm_core::event::{Event, Outcome};
use wnm_core::firewall::Firewall;
use wnm_core::kind::Mode;
use wnm_core::machine::Machine;
use wnm_core::manager::{ManagerContext, ProcessManager};
use wnm_core::paths::{Paths, UnknownHome};
use wnm_host::firewall::SystemFirewall;

/// The account that nodes run under in sudo mode.
const SUDO_OWNER: &str = "ant";

/// Name of the lock file of the Python wnm. It lies in the state directory of the mode, wherever the database
/// is.
const PYTHON_LOCK: &str = "wnm_active";

impl Colony {
    /// Opens a colony to be worked on. Nobody else can until it is dropped.
    pub async fn open(db: &Path, outside: Outside) -> Result<Self, ColonyError> {
        // Looking first keeps a lock file from being left beside a database that is not there.
        let view = Store::open(db, Access::View)
            .await
            .map_err(|e| missing(e, db))?;
        let Some(machine) = machine_in(view).await? else {
            return Err(ColonyError::NotInitialized(db.to_owned()));
        };
        let lock = take_lock(db, &machine, &outside)?;
        let store = Store::open(db, Access::ReadWrite)
            .await
            .map_err(|e| missing(e, db))?;
        Self::assemble(db, store, outside, Some(lock)).await
    }

    /// Opens a colony to be looked at: nothing is written, nothing is locked, and a database of an older
    /// program is read without being changed.
    pub async fn view(db: &Path, outside: Outside) -> Result<Self, ColonyError> {
        let store = Store::open(db, Access::View)
            .await
            .map_err(|e| missing(e, db))?;
        Self::assemble(db, store, outside, None).await
    }

    /// Makes a colony without nodes. Everything is checked before anything is made.
    pub async fn init(db: &Path, machine: Machine, outside: Outside) -> Result<Self, ColonyError> {
        Self::init_with(db, machine, &Adoption::default(), outside).await
    }

    /// Makes a colony of nodes that are there: with all of them from its first moment, or not at all.
    pub async fn init_with(
        db: &Path,
        mut machine: Machine,
        adoption: &Adoption,
        outside: Outside,
    ) -> Result<Self, ColonyError> {
        Self::check_not_initialized(db).await?;
        outside.program.version(&machine.antnode_path).await?;
        let home = outside.home.as_deref();
        let (manager, paths, _) = build_manager(&outside, &machine, home)?;
        check_manager(manager.as_ref()).await?;
        machine.highest_id = adopt::highest_id(&machine, manager.as_ref(), adoption);

        for dir in [db.parent().unwrap_or(Path::new(".")), &paths.node_storage] {
            make_writable(dir)?;
        }
        mark_storage(&paths.node_storage).map_err(|source| ColonyError::Storage {
            path: paths.node_storage.clone(),
            source,
        })?;
        let lock = take_lock(db, &machine, &outside)?;
        // A Python wnm that could not find its migrations leaves a database with tables and no rows.
        let store = match Store::open(db, Access::ReadWrite).await {
            Err(StoreError::Missing { .. }) => Store::create(db).await?,
            opened => opened?,
        };
        let now = outside.clock.now();
        // So that the first cycle has something to continue from, and a report something to show.
        let reading = outside
            .machine
            .measure(now, &paths.node_storage, None)
            .await?;
        let mut events = vec![Event {
            at: now,
            node: None,
            action: "init".to_owned(),
            outcome: Outcome::Done,
            reason: format!("{} under {}", db.display(), machine.manager),
        }];
        events.extend(adopt::events(adoption, now));
        let changes = Changes {
            cycle: Some(CycleState {
                boot_id: Some(outside.machine.boot_id()?),
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
        Self::assemble(db, store, outside, Some(lock)).await
    }

    /// What [`init`](Self::init) would check, with nothing made.
    pub async fn check_init(
        db: &Path,
        machine: &Machine,
        outside: &Outside,
    ) -> Result<(), ColonyError> {
        Self::check_not_initialized(db).await?;
        outside.program.version(&machine.antnode_path).await?;
        let (manager, _, _) = build_manager(outside, machine, outside.home.as_deref())?;
        check_manager(manager.as_ref()).await
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
        outside: Outside,
        lock: Option<ColonyLock>,
    ) -> Result<Self, ColonyError> {
        let built = match store.machine().await {
            Ok(Some(machine)) => build_manager(&outside, &machine, outside.home.as_deref())
                .map(|built| (machine, built)),
            Ok(None) => Err(ColonyError::NotInitialized(db.to_owned())),
            Err(error) => Err(error.into()),
        };
        let (machine, (manager, paths, owner)) = match built {
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
            manager,
            paths,
            owner,
            outside,
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

/// The manager that the settings name, the paths it uses and the account it runs nodes under.
pub(super) fn build_manager(
    outside: &Outside,
    machine: &Machine,
    home: Option<&Path>,
) -> Result<(Arc<dyn ProcessManager>, Paths, String), ColonyError> {
    let context = context(outside, machine, home)?;
    let (paths, owner) = (context.paths.clone(), context.owner.clone());
    let manager = outside
        .managers
        .build(machine.manager, context)
        .map_err(|source| ColonyError::Manager {
            kind: machine.manager,
            source,
        })?;
    Ok((manager, paths, owner))
}

async fn check_manager(manager: &dyn ProcessManager) -> Result<(), ColonyError> {
    let kind = manager.kind();
    let checked = manager.check().await;
    checked.map_err(|source| ColonyError::Manager { kind, source })
}

/// What the manager that the settings name is built from.
pub(super) fn context(
    outside: &Outside,
    machine: &Machine,
    home: Option<&Path>,
) -> Result<ManagerContext, ColonyError> {
    let mode = machine.manager.mode();
    Ok(ManagerContext {
        program: Arc::clone(&outside.program),
        runner: Arc::clone(&outside.runner),
        firewall: firewall_of(outside, machine),
        paths: Paths::for_mode(mode, home)?.with_node_storage(&machine.node_storage),
        launch: machine.launch.clone(),
        owner: match mode {
            Mode::Sudo => SUDO_OWNER.to_owned(),
            Mode::User | Mode::Zen => current_user(),
        },
        machine: machine.clone(),
    })
}

fn firewall_of(outside: &Outside, machine: &Machine) -> Arc<dyn Firewall> {
    outside.firewall.clone().unwrap_or_else(|| {
        let (mode, runner) = (machine.manager.mode(), Arc::clone(&outside.runner));
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

fn take_lock(db: &Path, machine: &Machine, outside: &Outside) -> Result<ColonyLock, ColonyError> {
    let python_lock = python_lock_of(machine.manager.mode(), outside.home.as_deref())?;
    Ok(ColonyLock::acquire(db, &python_lock, outside.clock.now())?)
}

/// Where a Python wnm of this mode keeps its lock file.
pub fn python_lock_of(mode: Mode, home: Option<&Path>) -> Result<PathBuf, UnknownHome> {
    Ok(Paths::for_mode(mode, home)?.state.join(PYTHON_LOCK))
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
