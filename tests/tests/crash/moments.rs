//! Plain processes, and the program killed at any moment: not only at fault points.

use std::time::Duration;

use nix::sys::signal::Signal;
use wnm_tests::colony::Colony;
use wnm_tests::wait::{LONG, closely};

use crate::test_colony::TestColony;

/// Nodes that are added at once.
const NODES: u32 = 3;

/// When to kill: so many microseconds after a path appears in the node storage, which itself is always there. No path
/// that is waited for disappears again. Drawn once, so that a failure repeats as far as it can.
const MOMENTS: [(&str, u64); 12] = [
    ("", 3_170),
    ("", 21_430),
    ("antnode0001", 0),
    ("antnode0003", 1_290),
    ("logs/antnode0002", 310),
    ("logs/antnode0001", 1_860),
    ("logs/antnode0003", 2_470),
    ("antnode0001/antnode", 90),
    ("antnode0003/antnode", 2_650),
    ("logs/antnode0001/antnode.out", 0),
    ("logs/antnode0002/antnode.out", 4_820),
    ("antnode0002/secret-key", 187_300),
];

#[test]
fn an_add_of_three_nodes_ends_well_whenever_it_is_killed() {
    let (even, odd): (Vec<_>, Vec<_>) = (0..MOMENTS.len()).partition(|at| at % 2 == 0);
    std::thread::scope(|scope| {
        for half in [even, odd] {
            scope.spawn(|| {
                let colony = TestColony::new(Colony::new());
                for at in half {
                    kill_after(&colony, MOMENTS[at]);
                }
            });
        }
    });
}

fn kill_after(colony: &TestColony<'_>, (sign, microseconds): (&str, u64)) {
    eprintln!("killed {microseconds} µs after '{sign}'");
    let adding = colony.add(NODES).spawn();
    let path = colony.backend.storage().join(sign);
    closely(LONG, path.display(), || path.exists());
    // Waits for nothing: the moment itself is what is tested.
    std::thread::sleep(Duration::from_micros(microseconds));
    let _ended = adding.end_with(Signal::SIGKILL);
    colony.settle(&[]);
    colony.check();
    let rows = colony.backend.database().nodes();
    assert!(rows.len() <= NODES as usize, "{rows:#?}");
    let running = rows.iter().all(|row| row.status == "RUNNING");
    assert!(running, "{rows:#?}");
    colony.tear_down();
}
