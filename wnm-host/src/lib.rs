//! What process managers need of a machine: commands and sudo, files, the process table, firewalls, and the
//! directories of nodes. Managers depend on this crate and on `wnm-core` alone.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod account;
mod blocking;
pub mod command;
mod error;
pub mod files;
pub mod firewall;
pub mod install;
pub mod layout;
mod port;
pub mod processes;
mod removal;
pub mod rollback;
mod spawn;

pub use account::Account;
pub use blocking::blocking;
pub use port::try_port;
pub use removal::Removal;
pub use spawn::spawn_when_free;
