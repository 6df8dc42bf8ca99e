//! A machine: how much it may carry, how fast it may change, and what it was measured to do.

mod change;
mod check;
mod firewall_choice;
mod fleet;
mod load;
mod settings;
mod source;
mod strategy;
mod value;

pub use change::Change;
pub use check::{Conflict, conflicts, port_conflicts};
pub use firewall_choice::{FirewallChoice, UnknownFirewall};
pub use fleet::{BadMemoryLimit, FleetLimits, MemoryLimit, MemoryUnit};
pub use load::{IoRates, LoadAverages, MachineLoad};
pub use settings::{
    Band, ContainerSettings, Delays, IoBands, Launch, Limits, Machine, Pacing, Thresholds,
};
pub use source::Source;
pub use strategy::{RemovalStrategy, UnknownStrategy};
pub use value::ConfigValue;
