//! Observing: the machine's load, the nodes' processes and what they say, put together into a
//! [`wnm_core::snapshot::Snapshot`].

mod deadline;
mod id_availability;
mod machine;
mod observer;
mod roots;
mod survey;

pub use id_availability::{IdChecks, blocked_ids, taken_ports};
pub use machine::SystemProbe;
pub use observer::{NodeObserver, Observation, Observer};
pub use roots::{is_marked, mark_storage, root_states, unmark_storage};
#[cfg(any(test, feature = "fuzz"))]
pub(crate) use survey::read_pages;
pub use survey::{HttpProbe, SurveyLimits};
