//! Machines and layers for tests.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use crate::value::Reading;
use crate::{
    DefaultValue, Expansion, Layers, MachineFacts, OptionSpec, OptionTable, StoredSettings,
    ValueKind,
};
use wnm_core::kind::ManagerKind;
use wnm_core::machine::{Machine, MachineState};
use wnm_core::manager::{ManagerContext, ManagerError, ProcessManager};
use wnm_core::quantity::UnixTime;
use wnm_core::registry::{ManagerFactory, ManagerRegistry};
use wnm_core::wallet::Address;

pub(super) fn env(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

/// The manager of a colony where none is named.
pub(super) const NATIVE: ManagerKind = ManagerKind::from_static("systemd+user");

/// What builds nothing and declares the options of our managers.
struct Declares;

impl ManagerFactory for Declares {
    fn kinds(&self) -> Vec<ManagerKind> {
        KINDS.to_vec()
    }

    fn build(
        &self,
        _: &ManagerKind,
        _: ManagerContext,
    ) -> Result<Arc<dyn ProcessManager>, ManagerError> {
        Err(ManagerError::NotFound("nothing is run here".to_owned()))
    }

    fn options(&self) -> &'static [OptionSpec] {
        OWN
    }
}

/// What the options of our managers are in a wnm; that they are these, its own tests say.
const OWN: &[OptionSpec] = &[
    own("fleet_memory_max", ValueKind::Memory, DefaultValue::Absent),
    own("fleet_cpu_quota", ValueKind::Quota, DefaultValue::Absent),
    own(
        "antctl_path",
        ValueKind::AbsolutePath,
        DefaultValue::Fixed("~/.local/bin/antctl"),
    ),
    own("antctl_debug", ValueKind::Flag, DefaultValue::Absent),
    own("antctl_version", ValueKind::Version, DefaultValue::Absent),
    own(
        "max_node_per_container",
        ValueKind::Positive,
        DefaultValue::Fixed("200"),
    )
    .fixed(),
    own(
        "min_container_count",
        ValueKind::Count,
        DefaultValue::Fixed("1"),
    ),
    own(
        "docker_image",
        ValueKind::Image,
        DefaultValue::Fixed("iweave/antnode:latest"),
    ),
    own(
        "container_network",
        ValueKind::Choice(&["host", "published"]),
        DefaultValue::Fixed("host"),
    ),
];

const fn own(name: &'static str, kind: ValueKind, default: DefaultValue) -> OptionSpec {
    OptionSpec::of_manager(name, kind, default, "A setting of one manager")
}

/// Managers that can be named.
pub(super) const KINDS: [ManagerKind; 5] = [
    ManagerKind::from_static("systemd+sudo"),
    NATIVE,
    ManagerKind::from_static("setsid+user"),
    ManagerKind::from_static("antctl+zen"),
    ManagerKind::from_static("s6overlay+user"),
];

pub(super) fn options() -> OptionTable {
    OptionTable::new(&ManagerRegistry::new().with(Declares))
}

/// Reads a value without a home directory.
pub(super) fn read<T>(value: impl FnOnce(Reading<'_>) -> T) -> T {
    let (expansion, options) = (Expansion::default(), options());
    value(Reading {
        expansion: &expansion,
        options: &options,
    })
}

/// Layers that a colony can be initialised from.
pub(super) fn rewarded() -> Layers {
    Layers::new(options())
        .environment(env(&[("HOME", "/home/ann")]))
        .file(Path::new("/lowest"), b"rewards_address = faucet")
}

pub(super) fn facts() -> MachineFacts {
    MachineFacts {
        cpu_count: 4,
        home: Some("/home/ann".into()),
        default_manager: NATIVE,
    }
}

/// What the reports of the Python wnm were recorded on.
pub(super) fn sample_machine() -> Machine {
    rewarded()
        .command_line([
            ("rewards_address", Address::FAUCET.to_string().as_str()),
            ("node_storage", "/srv/ant/nodes"),
            ("antnode_path", "/srv/ant/bin/antnode"),
            ("antctl_path", "/srv/ant/bin/antctl"),
        ])
        .initial_machine(&facts())
        .unwrap()
}

/// What its database holds.
pub(super) fn sample_settings() -> StoredSettings {
    StoredSettings {
        machine: sample_machine(),
        state: MachineState {
            highest_id: None,
            last_stopped_at: Some(UnixTime(1_762_990_000)),
        },
    }
}
