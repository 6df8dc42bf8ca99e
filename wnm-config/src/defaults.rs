use std::path::PathBuf;

use crate::value::Reading;
use crate::{DefaultValue, Expansion, OptionSpec, OptionTable, ValueKind};
use wnm_core::kind::ManagerKind;
use wnm_core::machine::{ConfigValue, Machine};
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
    options: &OptionTable,
) -> Machine {
    let mut machine = Machine::new(manager, rewards)
        .with_cpu_count(facts.cpu_count)
        .with_home(facts.home.as_deref());
    for spec in options.of_managers() {
        let value = default_of(spec, facts, options);
        machine.manager_settings.set(spec.name, value);
    }
    machine
}

/// The default of a manager's own option. A path without a home directory to be below is empty.
fn default_of(spec: &OptionSpec, facts: &MachineFacts, options: &OptionTable) -> ConfigValue {
    let expansion = Expansion {
        home: facts.home.clone(),
        ..Expansion::default()
    };
    let reading = Reading {
        expansion: &expansion,
        options,
    };
    match (spec.default, spec.kind) {
        (DefaultValue::Fixed(text), kind) => {
            reading.value(kind, text).unwrap_or_else(|_| "".into())
        }
        (_, ValueKind::Flag) => ConfigValue::Bool(false),
        _ => ConfigValue::Null,
    }
}
