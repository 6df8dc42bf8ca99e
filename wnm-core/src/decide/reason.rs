use std::fmt;

use serde::{Deserialize, Serialize};

/// Stub.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure;

/// Why something is done or not done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reason {
    /// A person asked for it.
    Asked,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("asked for")
    }
}
