//! Machines and layers for tests.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use crate::value::Reading;
use crate::{Expansion, Layers, MachineFacts, OptionTable};
use wnm_core::kind::ManagerKind;
use wnm_core::machine::Machine;
use wnm_core::manager::{ManagerContext, ManagerError, ProcessManager};
use wnm_core::quantity::UnixTime;
use wnm_core::registry::ManagerRegistry;
use wnm_core::wallet::Address;

pub(super) fn env(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

/// The manager of a colony where none is named.
pub(super) const NATIVE: ManagerKind = ManagerKind::from_static("systemd+user");

pub(super) fn managers() -> ManagerRegistry {
    let build =
        |_: &ManagerKind, _: ManagerContext| -> Result<Arc<dyn ProcessManager>, ManagerError> {
            Err(ManagerError::NotFound("nothing is run here".to_owned()))
        };
    KINDS.iter().fold(ManagerRegistry::new(), |managers, kind| {
        managers.with_kind(kind.clone(), build)
    })
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
    OptionTable::new(&managers())
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
    let mut machine = rewarded()
        .command_line([
            ("rewards_address", Address::FAUCET.to_string().as_str()),
            ("node_storage", "/srv/ant/nodes"),
            ("antnode_path", "/srv/ant/bin/antnode"),
            ("antctl_path", "/srv/ant/bin/antctl"),
        ])
        .initial_machine(&facts())
        .unwrap();
    machine.last_stopped_at = Some(UnixTime(1_762_990_000));
    machine
}
