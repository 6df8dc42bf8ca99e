//! The lifecycle with the real antnode: started, killed and restarted, upgraded, removed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use wnm_tests::colony::{Colony, EAGER};
use wnm_tests::nodes;
use wnm_tests::wait;

const CAP: usize = 3;

#[test]
fn real_nodes_start_recover_upgrade_and_leave() {
    let (Some(older), Some(newer)) = (nodes::real_antnode("0.4.16"), nodes::real_antnode("0.4.17"))
    else {
        return;
    };
    let colony = Colony::new();
    colony.init("setsid+user", &older, EAGER.iter().chain(&["--node-cap=3"]));

    settle(&colony, "0.4.16");
    let names = peer_ids(&colony);
    assert!(
        names.iter().all(|name| name.starts_with("12D3KooW")),
        "{names:?}"
    );
    assert_eq!(colony.processes().len(), CAP);

    let victim = colony.processes().remove(0);
    victim.kill();
    let healed = colony.wnm(["--json"]).run().succeeded();
    assert_eq!(healed.status(), "started-node", "{}", healed.stdout);
    settle(&colony, "0.4.16");

    let path = newer.to_str().unwrap();
    let upgrade = [
        "--enable-upgrade",
        "--antnode-path",
        path,
        "--max-concurrent-upgrades=3",
    ];
    let upgraded = colony.wnm(upgrade).args(["--json"]).run().succeeded();
    assert_eq!(upgraded.status(), "upgrading-node", "{}", upgraded.stdout);
    settle(&colony, "0.4.17");
    assert_eq!(
        peer_ids(&colony),
        names,
        "an upgrade must not change who a node is"
    );
    assert_eq!(colony.processes().len(), CAP);

    let report = colony
        .wnm(["--report", "influx-resources"])
        .run()
        .succeeded();
    report.assert_stdout_contains("nodes_running=3i");

    colony
        .wnm(["--force-action", "teardown", "--confirm"])
        .run()
        .succeeded();
    colony.assert_nothing_left();
}

/// Runs cycles until every node is on record as running with this version and a peer id, which a node reports once it
/// is up.
fn settle(colony: &Colony, version: &str) {
    wait::until(wait::LONG, format!("{CAP} nodes of {version}"), || {
        colony.wnm::<&str>([]).run().succeeded();
        let nodes = colony.database().nodes();
        let up = nodes.iter().filter(|node| {
            let port = node.metrics_port.unwrap();
            let page = nodes::page(port, "/metadata").unwrap_or_default();
            node.status == "RUNNING"
                && node.peer_id.is_some()
                && page.contains(&format!("antnode_version=\"{version}\""))
        });
        up.count() == CAP
    });
}

fn peer_ids(colony: &Colony) -> Vec<String> {
    colony
        .database()
        .nodes()
        .into_iter()
        .map(|node| node.peer_id.unwrap())
        .collect()
}
