//! A machine: how much it may carry, how fast it may change, and what it was measured to do.

mod load;
mod settings;
mod strategy;

pub use load::{IoRates, LoadAverages, MachineLoad};
pub use settings::{
    Band, ContainerSettings, Delays, IoBands, Launch, Limits, Machine, Pacing, Thresholds,
};
pub use strategy::{RemovalStrategy, UnknownStrategy};
