use std::path::PathBuf;

use thiserror::Error;

use crate::decide::Refusal;
use crate::lock::LockError;
use crate::manager::{ManagerError, ManagerKind, UnknownHome};
use crate::observe::ObserveError;
use crate::ports::PortError;
use crate::program::ProgramError;
use crate::store::StoreError;

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
    /// Nodes that were found cannot be adopted as they are.
    #[error("cannot adopt what was found: {0}")]
    Adoption(String),
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
