//! The real node program in a container.

use wnm_tests::colony::Colony;
use wnm_tests::engine::{Suite, with_engine};
use wnm_tests::nodes::{self, NOWHERE};
use wnm_tests::wait::{LONG, until};

use crate::{give_away, statuses};

#[test]
fn real_nodes_run_in_containers_and_are_upgraded() {
    let (Some(old), Some(new)) = (nodes::real_antnode("0.4.16"), nodes::real_antnode("0.4.17"))
    else {
        return;
    };
    with_engine(Suite::Bookworm, |engine| {
        let peers = format!("--environment=ANT_PEERS={NOWHERE}");
        for network in ["host", "published"] {
            let colony = Colony::new();
            give_away(&colony, 1234, 1235);
            let options = [peers.as_str(), "--container-network", network];
            let _ = engine.init(&colony, &old, 5, &options);
            let add = ["--json", "--force-action=add", "--count=3"];
            let _ = engine.wnm(&colony, &add).run().succeeded();
            let versions = || -> Vec<String> {
                let _ = engine
                    .wnm(&colony, &["--force-action=survey"])
                    .run()
                    .succeeded();
                let rows = colony
                    .database()
                    .rows(&["version"], "node WHERE peer_id IS NOT NULL");
                rows.into_iter().flatten().flatten().collect()
            };
            until(LONG, "the nodes to answer", || versions() == ["0.4.16"; 3]);
            assert_eq!(statuses(&colony), ["RUNNING"; 3]);
            let upgrade = [
                "--force-action=upgrade",
                "--count=3",
                "--antnode-path",
                new.to_str().unwrap(),
            ];
            let _ = engine.wnm(&colony, &upgrade).run().succeeded();
            until(LONG, "the new version to answer", || {
                versions() == ["0.4.17"; 3]
            });
            let teardown = ["--force-action=teardown", "--confirm"];
            let _ = engine.wnm(&colony, &teardown).run().succeeded();
            colony.assert_nothing_left();
        }
    });
}
