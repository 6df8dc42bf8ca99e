//! The properties that a colony keeps under every program that manages it.

use std::path::PathBuf;

use wnm_tests::database::NodeRow;
use wnm_tests::systemd::Machine;

/// The properties of a node that stay the same under every program. A stopped node reports no peer id.
pub fn facts(rows: &[NodeRow]) -> Vec<(u32, String, PathBuf, u16, Option<String>)> {
    rows.iter()
        .map(|row| {
            let peer = row.peer_id.clone().filter(|_| row.status == "RUNNING");
            (
                row.id,
                row.service.clone(),
                row.root_dir.clone(),
                row.port,
                peer,
            )
        })
        .collect()
}

/// The process of each node.
pub fn main_pids(machine: &Machine) -> Vec<Option<i32>> {
    let services = machine.nodes().into_iter().map(|node| node.service);
    services.map(|service| machine.main_pid(&service)).collect()
}
