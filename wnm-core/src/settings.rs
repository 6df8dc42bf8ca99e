//! Options: what there are, where a value comes from, and what it means.
//!
//! [`OPTIONS`] is the one table that the command line, the environment, the config files and the checks share.
//! [`Layers`] collects what was given where, as text. On top of it, [`Layers::run_settings`] says what this run
//! is to do, [`Layers::initial_machine`] makes the settings of a new colony, and [`Layers::apply`] puts what was
//! given over what the database holds. All three tell every fault at once.
//!
//! Later wins: default, database, config file, environment, command line.

mod apply;
mod assign;
mod check;
mod defaults;
mod expand;
mod fault;
mod file;
mod force;
mod layers;
mod option;
mod provenance;
mod run;
mod stored;
mod table;
mod value;

#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod samples;

pub use apply::Change;
pub use check::{Conflict, conflicts};
pub use defaults::MachineFacts;
pub use expand::{Expansion, ExpansionError};
pub use fault::{Fault, SettingsError};
pub(crate) use file::parse as parse_config_lines;
pub use file::{ConfigFile, Entry, read_config_files};
pub use force::{ForceAction, UnknownForceAction};
pub use layers::{Layers, Source};
pub use option::{DefaultValue, Group, OptionSpec, Scope, ValueKind};
pub use provenance::Provenance;
pub use run::{LogLevel, NamedNode, RunSettings};
pub use stored::stored_values;
pub use table::{OPTIONS, find, nearest};
