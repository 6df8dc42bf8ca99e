//! A machine: how much it may carry, how fast it may change, and what it was measured to do.

mod change;
mod check;
mod firewall_choice;
mod load;
mod manager_settings;
mod memory_limit;
mod new;
mod settings;
mod source;
mod state;
mod strategy;
mod value;

pub use change::Change;
pub use check::{Conflict, InvalidSettings, conflicts, port_conflicts};
pub use firewall_choice::{FirewallChoice, UnknownFirewall};
pub use load::{IoRates, LoadAverages, MachineLoad};
pub use manager_settings::ManagerSettings;
pub use memory_limit::{BadMemoryLimit, MemoryLimit, MemoryUnit};
pub use settings::{Band, Delays, IoBands, Launch, Limits, Machine, Pacing, Thresholds};
pub use source::Source;
pub use state::MachineState;
pub use strategy::{RemovalStrategy, UnknownStrategy};
pub use value::ConfigValue;
