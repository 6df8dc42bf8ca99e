use std::path::PathBuf;

use wnm_core::kind::ManagerKind;
use wnm_core::machine::Machine;
use wnm_core::wallet::RewardsAddress;

/// What the defaults of a new colony rest on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineFacts {
    /// Processors that may be used.
    pub cpu_count: u32,
    /// The caller's home directory. Without one, paths have no defaults in user mode.
    pub home: Option<PathBuf>,
    /// Who runs the nodes when nothing is said.
    pub default_manager: ManagerKind,
}

/// What holds when nothing is said. Paths without a home directory to be below are empty.
pub(super) fn defaults(
    facts: &MachineFacts,
    manager: ManagerKind,
    rewards: RewardsAddress,
) -> Machine {
    Machine::new(manager, rewards)
        .with_cpu_count(facts.cpu_count)
        .with_home(facts.home.as_deref())
}
