//! Options: what there are, where a value comes from, and what it means.
//!
//! [`OptionTable`] is the one table that the command line, the environment, the config files and the checks share.
//! [`Layers`] collects what was given where, as text. On top of it, [`Layers::run_settings`] says what this run
//! is to do, [`Layers::initial_machine`] makes the settings of a new colony, and [`Layers::apply`] puts what was
//! given over what the database holds. All three tell every fault at once.
//!
//! Later wins: default, database, config file, environment, command line.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod anm;
mod apply;
mod assign;
mod defaults;
mod expand;
mod fault;
mod file;
mod force;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzzing;
mod layers;

mod provenance;
mod run;
mod spelling;
mod stored;
mod table;
mod value;

#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod samples;

pub use anm::{AnmSetting, AnmSettings};
pub use defaults::MachineFacts;
pub use expand::{Expansion, ExpansionError};
pub use fault::{Fault, SettingsError};
pub use file::{ConfigFile, Entry, read_config_files};
pub use force::{ForceAction, UnknownForceAction};
pub use layers::Layers;
pub use provenance::Provenance;
pub use run::{LogLevel, NamedNode, RunSettings};
pub use stored::{StoredSettings, stored_values};
pub use table::OptionTable;
pub use wnm_core::option::{DefaultValue, Group, OptionSpec, Scope, ValueKind};
