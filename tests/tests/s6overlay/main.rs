//! Nodes as services of a real s6 in containers of a real engine.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod image;
mod life;
mod outage;
mod ports;
mod progress;
mod real;
mod scale;
mod slow;
mod teardown;

use wnm_tests::colony::Colony;

/// The status words of all nodes, by number.
fn statuses(colony: &Colony) -> Vec<String> {
    let nodes = colony.database().nodes();
    nodes.into_iter().map(|node| node.status).collect()
}

/// Gives the storage of a colony to an account of its own, so that its nodes are that account's.
fn give_away(colony: &Colony, uid: u32, gid: u32) {
    std::os::unix::fs::chown(colony.storage(), Some(uid), Some(gid)).unwrap();
}
