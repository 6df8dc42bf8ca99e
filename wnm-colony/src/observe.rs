//! Observing: the machine's load, the nodes' processes and what they say, put together into a
//! [`wnm_core::snapshot::Snapshot`].

mod deadline;
mod gather;
mod machine;
mod roots;
mod survey;
mod vacancy;

pub use gather::{Looking, LookingAtNodes, Sight, look_at_nodes};
pub use machine::SystemProbe;
pub use roots::{is_marked, mark_storage, root_states, unmark_storage};
#[cfg(any(test, feature = "fuzz"))]
pub(crate) use survey::read_pages;
pub use survey::{HttpProbe, SurveyLimits};
pub use vacancy::{Tried, blocked_ids, taken_ports};
