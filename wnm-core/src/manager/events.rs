use std::pin::Pin;

use futures_core::Stream;
use serde::{Deserialize, Serialize};

/// The events of a supervisor, for as long as the stream is held. Its end means that no more will come; the
/// subscriber may subscribe again.
pub type ManagerEvents = Pin<Box<dyn Stream<Item = ManagerEvent> + Send>>;

/// What a supervisor reports by itself: a hint to look again, never the truth about a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
#[non_exhaustive]
pub enum ManagerEvent {
    /// A node came up.
    NodeUp {
        /// The node's service.
        service: String,
    },
    /// A node went down.
    NodeDown {
        /// The node's service.
        service: String,
    },
    /// The supervisor restarted a node.
    NodeRestarted {
        /// The node's service.
        service: String,
    },
    /// The supervisor went away, so nothing is known of its nodes.
    SupervisorGone {
        /// Why, as far as is known.
        reason: String,
    },
}
