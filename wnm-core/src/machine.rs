//! A machine: how much it may carry, how fast it may change, and what it was measured to do.

mod fleet;
mod load;
mod settings;
mod strategy;

pub use fleet::{BadMemoryLimit, FleetLimits, MemoryLimit, MemoryUnit};
pub use load::{IoRates, LoadAverages, MachineLoad};
pub use settings::{
    Band, ContainerSettings, Delays, IoBands, Launch, Limits, Machine, Pacing, Thresholds,
};
pub use strategy::{RemovalStrategy, UnknownStrategy};
