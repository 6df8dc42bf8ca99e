//! Asks nodes how they are, and measures the machine.

use std::collections::HashMap;
use std::path::Path;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::id::NodeId;
use crate::machine::MachineLoad;
use crate::node::ProbeResult;
use crate::ports::Port;
use crate::quantity::{Milliseconds, UnixTime};

/// Where one node is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurveyTarget {
    /// Which node.
    pub id: NodeId,
    /// Its host.
    pub host: String,
    /// Its metrics port.
    pub port: Port,
}

/// Asks nodes what they are and how they are.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait NodeProbe: Send + Sync {
    /// Asks all of them, many at once, each under a deadline; `pacing` is the least time between the
    /// beginnings of two requests. Every target has an entry in the result.
    async fn survey(
        &self,
        targets: &[SurveyTarget],
        pacing: Milliseconds,
    ) -> HashMap<NodeId, ProbeResult>;
}

/// Counters since boot. Two readings of the same boot give the means between them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// The boot they count from.
    pub boot_id: String,
    /// When they were read, by the clock.
    pub at: UnixTime,
    /// When they were read, from boot. Spans are taken from this, which nobody sets.
    pub uptime: Milliseconds,
    /// Processor time.
    pub cpu: CpuTimes,
    /// Bytes read from and written to disks.
    pub disk: Traffic,
    /// Bytes received and sent over networks.
    pub net: Traffic,
}

/// Time of all processors together, in ticks of any length: only shares are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuTimes {
    /// Doing something, be it for another virtual machine.
    pub busy: u64,
    /// Idle with nothing to wait for.
    pub idle: u64,
    /// Idle with a disk request outstanding.
    pub io_wait: u64,
}

/// Bytes in two directions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Read, or received.
    pub read: u64,
    /// Written, or sent.
    pub write: u64,
}

/// A measurement of the machine, and the counters that the next one continues from.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineReading {
    /// The load.
    pub load: MachineLoad,
    /// To be stored.
    pub counters: Counters,
}

/// Measures the machine.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait MachineProbe: Send + Sync {
    /// Measures. Means run from `previous` where it is of the same boot and younger than fifteen minutes;
    /// otherwise a short sample is taken. `storage` is the directory whose file system is the nodes'.
    async fn measure(
        &self,
        now: UnixTime,
        storage: &Path,
        previous: Option<Counters>,
    ) -> Result<MachineReading, ObserveError>;

    /// What identifies the current boot.
    fn boot_id(&self) -> Result<String, ObserveError>;

    /// How many processors there are.
    fn cpu_count(&self) -> u32;
}

/// Why the machine could not be measured.
#[derive(Debug, Error)]
pub enum ObserveError {
    /// The operating system did not say.
    #[error("cannot read {what}: {source}")]
    Read {
        /// What was read.
        what: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}
