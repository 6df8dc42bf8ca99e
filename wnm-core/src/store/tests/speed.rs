//! Figures for whoever asks; nothing is held against them.

use std::time::Instant;

use super::samples::{machine, node};
use crate::store::{Changes, Store};

#[tokio::test]
#[ignore = "prints how long large colonies take, run by hand with --no-capture"]
async fn how_long_large_colonies_take() {
    for count in [1000, 10_000] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("colony.db");
        let store = Store::create(&path).await.unwrap();
        let mut changes = Changes {
            machine: Some(machine()),
            nodes: (1..=count)
                .map(|number| node(1 + (number - 1) % 10_000))
                .collect(),
            ..Changes::default()
        };
        for what in ["insert", "update"] {
            let begun = Instant::now();
            store.record(&changes).await.unwrap();
            println!("{count} nodes, {what}: {:?}", begun.elapsed());
            for node in &mut changes.nodes {
                node.measured.records += 1;
            }
        }
        let begun = Instant::now();
        let read = store.nodes().await.unwrap().len();
        println!("{read} nodes, read: {:?}", begun.elapsed());
        store.close().await.unwrap();
    }
}
