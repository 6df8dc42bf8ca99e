//! What does not fit together on a machine: between the database, the supervisor, directories, ports and what is
//! around them. The embedder collects [`Facts`]; [`examine`] works out what is wrong
//! without any I/O. A [`Finding`] that can be repaired without a person has a [`Fix`].

mod examine;
mod facts;
mod finding;
mod fix;
mod kernel_ports;

pub use examine::examine;
pub use facts::{ClockFacts, Facts, NodeDirectory, PythonFacts, StorageFacts};
pub use finding::{Finding, Severity, VersionCount};
pub use fix::Fix;
pub use kernel_ports::{KernelPorts, PortSpan};

use crate::quantity::Seconds;

/// How long the lock of a Python run is believed. Runs that survey a thousand nodes one after the other are
/// known to take more than half an hour; after an hour a crash is the likelier reason.
pub const PYTHON_LOCK_VALID: Seconds = Seconds(3600);
