//! The journal: what was decided and done, when and why.
//!
//! An [`Event`] is typed: [`EventKind`] says what happened and [`EventReason`] why. A database keeps both as the words
//! that people read, beside their JSON form. The words are enough to read a journal of an older version.

mod kind;
mod reason;
mod stored;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use kind::EventKind;
pub use reason::EventReason;
pub use stored::{EVENT_FORMAT, EventWords};

use crate::id::NodeId;
use crate::quantity::UnixTime;

/// How something that was tried came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was tried and did not work; the text says why.
    Failed,
    /// The outcome is unknown; the next cycle looks.
    Open,
    /// Something was seen that nobody did.
    Seen,
}

impl Outcome {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Failed => "failed",
            Outcome::Open => "open",
            Outcome::Seen => "seen",
        }
    }

    /// The reverse of [`as_str`](Self::as_str).
    pub fn from_word(word: &str) -> Option<Self> {
        [Outcome::Done, Outcome::Failed, Outcome::Open, Outcome::Seen]
            .into_iter()
            .find(|outcome| outcome.as_str() == word)
    }
}

/// The place of an event in its journal. Later events have higher ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub u64);

/// One entry of the journal.
///
/// Its JSON form has the words `action`, `outcome` and `reason`, and what is typed in `detail`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "stored::EventDocument", into = "stored::EventDocument")]
pub struct Event {
    /// Its place in the journal; `None` until it is recorded.
    pub seq: Option<EventId>,
    /// When.
    pub at: UnixTime,
    /// The node it was about; `None` for the machine as a whole.
    pub node: Option<NodeId>,
    /// What happened.
    pub kind: EventKind,
    /// How it came out.
    pub outcome: Outcome,
    /// Why it was done, with the measured value and the threshold where there were some; and for a failure
    /// what went wrong.
    pub reason: EventReason,
}

impl Event {
    /// An event that is yet to be recorded, about the machine as a whole.
    pub fn new(
        at: UnixTime,
        kind: EventKind,
        outcome: Outcome,
        reason: impl Into<EventReason>,
    ) -> Self {
        Self {
            seq: None,
            at,
            node: None,
            kind,
            outcome,
            reason: reason.into(),
        }
    }

    /// The same about a node.
    pub fn about(mut self, node: NodeId) -> Self {
        self.node = Some(node);
        self
    }
}
