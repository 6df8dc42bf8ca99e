//! Observes the machine's load, the nodes' processes, pages and directories, and builds a
//! [`wnm_core::snapshot::Snapshot`] from them.

mod data_dirs;
mod deadline;
mod gather;
mod machine;
mod survey;
mod vacancy;

pub use data_dirs::{data_states, is_marked, mark_storage, unmark_storage};
pub use gather::{Looking, LookingAtNodes, Sight, look_at_nodes};
pub use machine::SystemProbe;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) use survey::read_pages;
pub use survey::{HttpProbe, SurveyLimits};
pub use vacancy::{Tried, blocked_ids, taken_ports};
