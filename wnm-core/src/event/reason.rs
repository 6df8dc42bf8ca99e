use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decide::{MachineStep, Reason};
use crate::doctor::Finding;

/// Why something happened. Its `Display` is the line that people read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EventReason {
    /// The plan said so.
    Step {
        /// Why.
        reason: Reason,
        /// What went wrong.
        error: Option<String>,
    },
    /// The plan said so, of a step of the machine.
    MachineStep {
        /// The step.
        step: MachineStep,
        /// What went wrong.
        error: Option<String>,
    },
    /// The doctor found it.
    Finding {
        /// What it found.
        finding: Finding,
    },
    /// In words alone.
    Text {
        /// The words.
        text: String,
    },
}

impl fmt::Display for EventReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EventReason::Step {
                reason,
                error: Some(error),
            } => write!(f, "{reason}: {error}"),
            EventReason::Step {
                reason,
                error: None,
            } => reason.fmt(f),
            EventReason::MachineStep { step, error } => {
                write!(f, "{}: {}", step.act, step.reason)?;
                match error {
                    Some(error) => write!(f, ": {error}"),
                    None => Ok(()),
                }
            }
            EventReason::Finding { finding } => finding.fmt(f),
            EventReason::Text { text } => f.write_str(text),
        }
    }
}

impl From<String> for EventReason {
    fn from(text: String) -> Self {
        EventReason::Text { text }
    }
}

impl From<&str> for EventReason {
    fn from(text: &str) -> Self {
        EventReason::Text {
            text: text.to_owned(),
        }
    }
}
