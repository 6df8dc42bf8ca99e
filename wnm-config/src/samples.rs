//! Machines and layers for tests.

use std::ffi::OsString;
use std::path::Path;

use crate::{Layers, MachineFacts};
use wnm_core::kind::ManagerKind;
use wnm_core::machine::Machine;
use wnm_core::quantity::UnixTime;
use wnm_core::wallet::Address;

pub(super) fn env(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

/// Layers that a colony can be initialised from.
pub(super) fn rewarded() -> Layers {
    Layers::new()
        .environment(env(&[("HOME", "/home/ann")]))
        .file(Path::new("/lowest"), b"rewards_address = faucet")
}

pub(super) fn facts() -> MachineFacts {
    MachineFacts {
        cpu_count: 4,
        home: Some("/home/ann".into()),
        default_manager: ManagerKind::SYSTEMD_USER,
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
