//! What does not fit together on a machine: between the database, the supervisor, directories, ports and what is
//! around them. [`Facts`] are collected by [`crate::colony::Colony::facts`]; [`examine`] works out what is wrong
//! without any I/O; each [`Finding`] says what mends it.

mod examine;
mod facts;
mod finding;
mod kernel_ports;
mod remedy;
#[cfg(test)]
mod tests;

pub use examine::examine;
pub use facts::{ClockFacts, Facts, NodeDirectory, PythonFacts, StorageFacts};
pub use finding::{Finding, Severity, VersionCount};
pub use kernel_ports::{KernelPorts, PortSpan};
pub use remedy::{Fix, Remedy};
