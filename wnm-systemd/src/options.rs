//! The settings that only this crate reads: what all nodes may take together.

use std::num::NonZeroU32;

use wnm_core::machine::{BadMemoryLimit, Conflict, ManagerSettings, MemoryLimit};
use wnm_core::option::{DefaultValue, OptionSpec, ValueKind};

const MEMORY_MAX: &str = "fleet_memory_max";
const CPU_QUOTA: &str = "fleet_cpu_quota";

pub(crate) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::of_manager(
        MEMORY_MAX,
        ValueKind::Memory,
        DefaultValue::Absent,
        "systemd: most memory for all nodes together, as 24G or 80%; empty for no limit",
    ),
    OptionSpec::of_manager(
        CPU_QUOTA,
        ValueKind::Quota,
        DefaultValue::Absent,
        "systemd: most processor time for all nodes together, in percent of one processor, as 350; 0 for no limit",
    ),
];

/// What all nodes of the machine may take together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FleetLimits {
    /// Memory; what would pass it is killed by the kernel.
    pub memory_max: Option<MemoryLimit>,
    /// Processor time, in percent of one processor: 350 is three and a half.
    pub cpu_quota: Option<NonZeroU32>,
}

impl FleetLimits {
    /// Reads the settings; what is absent is no limit.
    pub fn new(settings: &ManagerSettings) -> Result<Self, BadMemoryLimit> {
        let memory = settings.text(MEMORY_MAX);
        Ok(Self {
            memory_max: memory.map(str::parse).transpose()?,
            cpu_quota: settings.count(CPU_QUOTA).and_then(NonZeroU32::new),
        })
    }

    /// What is wrong with the settings.
    pub fn check(settings: &ManagerSettings) -> Option<Conflict> {
        let error = Self::new(settings).err()?;
        Some(Conflict {
            options: vec![MEMORY_MAX],
            problem: format!("{MEMORY_MAX} {error}"),
        })
    }
}
