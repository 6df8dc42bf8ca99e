//! What it costs to record and to read colonies of up to ten thousand nodes.
#![allow(missing_docs, clippy::unwrap_used)]

use divan::Bencher;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wnm_colony::store::{Changes, Store};
use wnm_core::testing::{machine, node};

const COUNTS: [u32; 3] = [100, 1000, 10_000];

fn main() {
    divan::main();
}

/// A database with a colony in it.
struct Recorded {
    _dir: TempDir,
    runtime: Runtime,
    store: Store,
    changes: Changes,
}

impl Recorded {
    fn new(count: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let changes = Changes {
            machine: Some(machine()),
            nodes: (1..=count).map(node).collect(),
            ..Changes::default()
        };
        let store = runtime.block_on(async {
            let store = Store::create(&dir.path().join("colony.db")).await.unwrap();
            store.record(&changes).await.unwrap();
            store
        });
        Self {
            _dir: dir,
            runtime,
            store,
            changes,
        }
    }
}

/// What a cycle writes after it looked: every node anew, in one transaction.
#[divan::bench(args = COUNTS)]
fn record(bencher: Bencher<'_, '_>, count: u32) {
    let recorded = Recorded::new(count);
    bencher.bench_local(|| {
        let written = recorded.store.record(&recorded.changes);
        recorded.runtime.block_on(written).unwrap();
    });
}

/// What a cycle reads before it looks.
#[divan::bench(args = COUNTS)]
fn read(bencher: Bencher<'_, '_>, count: u32) {
    let recorded = Recorded::new(count);
    bencher.bench_local(|| recorded.runtime.block_on(recorded.store.nodes()).unwrap());
}
