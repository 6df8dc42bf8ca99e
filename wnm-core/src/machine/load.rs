use serde::{Deserialize, Serialize};

use crate::quantity::{ByteRate, Load, Percent, Seconds, UnixTime};

/// Bytes read and written per second, as means over the span of a [`MachineLoad`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IoRates {
    /// Read from disk, or received.
    pub read: ByteRate,
    /// Written to disk, or sent.
    pub write: ByteRate,
}

/// The kernel's load averages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadAverages {
    /// Over one minute.
    pub one: Load,
    /// Over five minutes.
    pub five: Load,
    /// Over fifteen minutes.
    pub fifteen: Load,
}

/// What a machine was measured to do: shares and rates are means over `span`, the rest is of `at`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct MachineLoad {
    /// When.
    pub at: UnixTime,
    /// Over how long the means were taken.
    pub span: Seconds,
    /// Time the processors were not idle; waiting for disks counts as idle.
    pub cpu: Percent,
    /// Time the processors were idle with a disk request outstanding.
    pub io_wait: Percent,
    /// Memory that could not be given to a new process.
    pub memory: Percent,
    /// Fill of the file system that holds the node storage, as its users see it.
    pub disk: Percent,
    /// Size of that file system in bytes.
    pub disk_total: u64,
    /// Disk traffic.
    pub disk_io: IoRates,
    /// Network traffic.
    pub net_io: IoRates,
    /// Load averages.
    pub load: LoadAverages,
    /// When the machine came up.
    pub boot_time: UnixTime,
}
