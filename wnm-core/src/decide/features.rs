use serde::{Deserialize, Serialize};

/// How many nodes there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// All that belong to the colony; those being removed no longer do.
    pub total: u32,
}

/// Stub.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Features {
    /// The nodes.
    pub census: Census,
}
