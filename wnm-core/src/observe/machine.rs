use serde::{Deserialize, Serialize};

/// Counters since boot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counters {
    /// The boot they count from.
    pub boot_id: String,
}

/// Measures the machine it runs on.
#[derive(Debug, Default)]
pub struct SystemProbe {}
