//! A thousand nodes, and containers with their own network.

use std::time::Duration;

use wnm_tests::colony::Colony;
use wnm_tests::engine::{Suite, with_engine};

use crate::{give_away, statuses};

/// Enough for a thousand nodes on two busy cores.
const LONG_CALL: Duration = Duration::from_secs(1200);

#[test]
fn a_thousand_nodes_get_the_documented_ports() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = Colony::new();
        give_away(&colony, 1234, 1235);
        let program = colony.program("0.4.17");
        let _ = engine.init(&colony, &program, 200, &["--min-container-count=5"]);
        let add = ["--json", "--force-action=add", "--count=1000"];
        let _ = engine
            .wnm(&colony, &add)
            .within(LONG_CALL)
            .run()
            .succeeded();
        let survey = ["--json", "--force-action=survey"];
        let report = engine.wnm(&colony, &survey).run().succeeded().last_json();
        assert_eq!(report["running"], 1000, "{report}");
        let columns = [
            "name",
            "count(*)",
            "min(metrics_port)",
            "max(metrics_port)",
            "min(port)",
            "max(port)",
        ];
        let per =
            "node JOIN container ON container.id = node.container_id GROUP BY name ORDER BY name";
        let table: Vec<String> = colony
            .database()
            .rows(&columns, per)
            .into_iter()
            .map(|row| row.into_iter().flatten().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            table,
            [
                "a1 200 13001 13200 55001 55200",
                "a2 200 13201 13400 55201 55400",
                "a3 200 13401 13600 55401 55600",
                "a4 200 13601 13800 55601 55800",
                "a5 200 13801 14000 55801 56000",
            ]
        );
        let teardown = ["--force-action=teardown", "--confirm"];
        let _ = engine
            .wnm(&colony, &teardown)
            .within(LONG_CALL)
            .run()
            .succeeded();
        assert!(engine.containers().is_empty());
        colony.assert_nothing_left();
    });
}

#[test]
fn nodes_with_published_ports_are_queried_inside_their_container() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = Colony::new();
        give_away(&colony, 1234, 1235);
        let program = colony.program("0.4.17");
        let _ = engine.init(&colony, &program, 10, &["--container-network=published"]);
        let add = ["--json", "--force-action=add", "--count=10"];
        let _ = engine.wnm(&colony, &add).run().succeeded();
        let survey = ["--json", "--force-action=survey"];
        let _ = engine.wnm(&colony, &survey).run().succeeded();
        assert_eq!(statuses(&colony), ["RUNNING"; 10]);
        let peers = colony
            .database()
            .rows(&["peer_id"], "node WHERE peer_id IS NOT NULL");
        assert_eq!(peers.len(), 10);
        // Node ports are published to everyone, for one family and with one proxy each; metrics ports to nobody.
        let ports = engine.call([
            "inspect",
            "--format",
            "{{json .HostConfig.PortBindings}}",
            "a1",
        ]);
        assert_eq!(ports.matches("0.0.0.0").count(), 10, "{ports}");
        assert!(!ports.contains("/tcp"), "{ports}");
        let metrics = std::net::TcpStream::connect(("127.0.0.1", 13_001));
        assert!(metrics.is_err(), "it shares the machine's network");
        // A free place in a container that publishes its ports is still found.
        let removed = ["--force-action=remove", "--service-name=antnode0004"];
        let _ = engine.wnm(&colony, &removed).run().succeeded();
        let one = ["--json", "--node-cap=10"];
        let report = engine.wnm(&colony, &one).run().succeeded().last_json();
        assert_eq!(report["steps"][0]["node"], "antnode0004", "{report}");
        let teardown = ["--force-action=teardown", "--confirm"];
        let _ = engine.wnm(&colony, &teardown).run().succeeded();
        assert!(engine.containers().is_empty());
    });
}
