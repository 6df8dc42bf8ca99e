//! Nodes as services of a real s6 in containers of a real engine.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod image;
mod lifecycle;
mod outage;
mod ports;
mod progress;
mod real;
mod scale;
mod slow;
mod teardown;

use wnm_tests::colony::Colony;
use wnm_tests::engine::Engine;

/// A colony without nodes, with containers of `size` nodes.
fn empty_colony(engine: &Engine, size: u32, options: &[&str]) -> Colony {
    let colony = Colony::new();
    let program = colony.program("0.4.17");
    let _created = engine.init(&colony, &program, size, options);
    colony
}

/// The status words of all nodes, by number.
fn statuses(colony: &Colony) -> Vec<String> {
    let nodes = colony.database().nodes();
    nodes.into_iter().map(|node| node.status).collect()
}

/// Gives the storage of a colony to another account, so that its nodes run as that account.
fn give_away(colony: &Colony, uid: u32, gid: u32) {
    std::os::unix::fs::chown(colony.storage(), Some(uid), Some(gid)).unwrap();
}
