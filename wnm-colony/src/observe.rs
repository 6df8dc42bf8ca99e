//! Observes the machine's load, the nodes' processes, pages and directories, and builds a
//! [`wnm_core::snapshot::Snapshot`] from them.

mod data_dirs;
mod deadline;
mod id_availability;
mod machine;
mod observer;
mod survey;

pub use data_dirs::{data_states, is_marked, mark_storage, unmark_storage};
pub use id_availability::{IdChecks, blocked_ids, taken_ports};
pub use machine::SystemProbe;
pub use observer::{NodeObserver, Observation, Observer};
#[cfg(any(test, feature = "fuzz"))]
pub(crate) use survey::read_pages;
pub use survey::{HttpProbe, SurveyLimits};
