use std::path::PathBuf;

use thiserror::Error;

use crate::lock::LockError;
use crate::store::StoreError;
use wnm_core::decide::Refusal;
use wnm_core::kind::ManagerKind;
use wnm_core::manager::ManagerError;
use wnm_core::node::Status;
use wnm_core::paths::UnknownHome;
use wnm_core::ports::PortError;
use wnm_core::probe::ObserveError;
use wnm_core::program::ProgramError;
use wnm_core::quantity::Seconds;
use wnm_core::registry::UnregisteredManager;

/// Why something was not done with a colony. Each message is one line that says what to do.
#[derive(Debug, Error)]
pub enum ColonyError {
    /// There is no colony yet.
    #[error(
        "there is no colony at {}: make one with wnm --init --rewards-address ADDRESS",
        .0.display()
    )]
    NotInitialized(PathBuf),
    /// There is one already.
    #[error(
        "{} holds a colony already, so --init would do nothing but harm: run wnm without it",
        .0.display()
    )]
    AlreadyInitialized(PathBuf),
    /// A directory could not be made or written.
    #[error("cannot write to {}: {source}", path.display())]
    Storage {
        /// The directory.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The manager of this machine cannot be had.
    #[error("process manager {kind}: {source}")]
    Manager {
        /// Which one.
        kind: ManagerKind,
        /// Why not.
        #[source]
        source: ManagerError,
    },
    /// This program does not have the manager that the settings name.
    #[error(transparent)]
    NoManager(#[from] UnregisteredManager),
    /// Not everything could be torn down.
    #[error("{left} of {total} nodes could not be removed and are still recorded: {first}")]
    Teardown {
        /// Nodes that are left.
        left: usize,
        /// Nodes there were.
        total: usize,
        /// The first failure.
        first: String,
    },
    /// Teardown deletes everything, and was not confirmed.
    #[error(
        "teardown deletes every node with its data ({nodes} in all): add --confirm if that is meant"
    )]
    NotConfirmed {
        /// How many.
        nodes: usize,
    },
    /// A run ended in the middle of something.
    #[error(
        "{node} is left {status} by a run that ended in the middle: run wnm once, so that nothing is half done"
    )]
    HalfDone {
        /// Which node.
        node: String,
        /// The word for it.
        status: Status,
    },
    /// Nodes were found, and their storage has none of them.
    #[error(
        "{nodes} nodes have their directories below {} and none is there: mount the disk they are on; \
         if they are really gone, add --confirm",
        storage.display()
    )]
    NoneInStorage {
        /// The node storage.
        storage: PathBuf,
        /// How many should be there.
        nodes: usize,
    },
    /// anm does something at this moment, or did when it was cut off.
    #[error("{}; nothing was changed, try again in a minute", at_work(block, *age, *process))]
    AnmWorks {
        /// The file that says so.
        block: PathBuf,
        /// How old that is.
        age: Option<Seconds>,
        /// Its process, where one is to be seen.
        process: Option<i32>,
    },
    /// Something of anm cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Anm {
        /// What.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// anm's line of cron could not be put back.
    #[error("{} could not be put back: {source}", path.display())]
    AnmCron {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: ManagerError,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Someone else is at it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The machine could not be measured.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// The node program.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// What was asked for was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Ports.
    #[error(transparent)]
    Ports(#[from] PortError),
    /// No home.
    #[error(transparent)]
    Home(#[from] UnknownHome),
}

fn at_work(block: &std::path::Path, age: Option<Seconds>, process: Option<i32>) -> String {
    match (age, process) {
        (_, Some(pid)) => format!("anm is at work (process {pid})"),
        (Some(age), None) => format!(
            "anm is at work for {age} by {}, or was cut off: if no anms.sh runs, delete that file",
            block.display()
        ),
        (None, None) => "anm is at work".to_owned(),
    }
}
