//! The journal: what was decided and done, when and why.

use serde::{Deserialize, Serialize};

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
    /// It is open what came of it; the next cycle looks.
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

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: UnixTime,
    /// The node it was about; none for the machine as a whole.
    pub node: Option<NodeId>,
    /// What: `add`, `start`, `stop`, `upgrade`, `remove`, `init`, `reboot`, `crashed`, …
    pub action: String,
    /// How it came out.
    pub outcome: Outcome,
    /// Why it was done, with the measured value and the threshold where there were some; and for a failure
    /// what went wrong.
    pub reason: String,
}
