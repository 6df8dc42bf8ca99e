//! The program killed at any moment, and not only where it says that it can be.

use std::time::Duration;

use nix::sys::signal::Signal;
use wnm_tests::wait::{LONG, closely};

use crate::stage::Stage;

/// Nodes that are added at once.
const NODES: u32 = 3;

/// When to kill: so many microseconds after something showed in the node storage; the storage itself is there
/// from the beginning, and nothing that is waited for goes away again. Drawn once, so that a failure can be had again as far as that is possible.
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
fn adding_three_nodes_ends_well_whenever_it_is_killed() {
    let (even, odd): (Vec<_>, Vec<_>) = (0..MOMENTS.len()).partition(|at| at % 2 == 0);
    std::thread::scope(|scope| {
        for half in [even, odd] {
            scope.spawn(|| {
                half.into_iter()
                    .for_each(kill_in_turn(Stage::with_nodes(0)))
            });
        }
    });
}

fn kill_in_turn(stage: Stage) -> impl FnMut(usize) {
    move |at| {
        let (sign, microseconds) = MOMENTS[at];
        eprintln!("killed {microseconds} µs after '{sign}'");
        let adding = stage.add(NODES).spawn();
        let path = stage.colony.storage().join(sign);
        closely(LONG, path.display(), || path.exists());
        // Not to wait for anything: the time itself is what is tried.
        std::thread::sleep(Duration::from_micros(microseconds));
        let _ended = adding.end_with(Signal::SIGKILL);
        stage.settle_with(&[]);
        stage.check();
        let rows = stage.rows();
        assert!(rows.len() <= NODES as usize, "{rows:#?}");
        for (row, _) in &rows {
            assert_eq!(row.status, "RUNNING", "{rows:#?}");
        }
        stage.tear_down();
    }
}
