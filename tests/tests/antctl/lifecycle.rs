//! The life of a colony.

use nix::sys::signal::Signal;

use super::{colony_of, process_of, signal, tear_down};
use wnm_tests::nodes;

#[test]
fn a_colony_of_real_nodes_goes_through_its_whole_life() {
    let Some(fixture) = colony_of(3, "0.4.16") else {
        return;
    };
    let rows = fixture.nodes();
    for (row, number) in rows.iter().zip(1..) {
        // antctl's name with its own number, in a directory with wnm's number.
        assert_eq!(row.service, format!("antnode{number}"));
        let own = fixture
            .colony
            .storage()
            .join(format!("antnode{:04}", row.id));
        assert_eq!(row.root_dir, own.join(&row.service));
        assert_eq!(row.port, fixture.colony.ports.node_port(number));
        let page = nodes::page(row.metrics_port.unwrap(), "/metadata").unwrap();
        assert!(page.contains(row.peer_id.as_deref().unwrap()), "{page}");
    }
    let peers: Vec<Option<String>> = rows.into_iter().map(|row| row.peer_id).collect();

    // antctl does not restart a killed node. wnm does.
    process_of(&fixture, "antnode2").unwrap().kill();
    let healed = fixture.wnm(["--json", "--node-cap=3"]).run().succeeded();
    assert_eq!(healed.status(), "started-node", "{}", healed.stdout);
    fixture.settle(3);

    // A hanging node delays nothing else.
    signal(&fixture, "antnode1", Signal::SIGSTOP);
    let _ = fixture
        .wnm(["--force-action=add", "--node-cap=10"])
        .run()
        .succeeded();
    let _ = fixture
        .wnm(["--force-action=stop", "--service-name=antnode0003"])
        .run()
        .succeeded();
    assert_eq!(
        fixture.names(),
        ["antnode1", "antnode2", "antnode3", "antnode4"]
    );
    assert!(process_of(&fixture, "antnode3").is_none());
    assert_eq!(fixture.nodes()[0].status, "RUNNING");
    signal(&fixture, "antnode1", Signal::SIGCONT);

    // An upgrade starts only what ran, and keeps all names.
    let upgrade = ["--force-action=upgrade", "--service-name=1,2,3"];
    let _ = fixture
        .wnm(upgrade)
        .arg("--antnode-path")
        .arg(fixture.program("0.4.17"))
        .run()
        .succeeded();
    fixture.settle(3);
    let rows = fixture.nodes();
    let versions: Vec<&str> = rows
        .iter()
        .map(|row| row.version.as_deref().unwrap())
        .collect();
    // wnm decides which nodes to upgrade, and does not upgrade a stopped one.
    assert_eq!(versions, ["0.4.17", "0.4.17", "0.4.16", "0.4.16"]);
    let now: Vec<Option<String>> = rows.into_iter().map(|row| row.peer_id).take(3).collect();
    assert_eq!(now, peers, "an upgrade must not change who a node is");
    assert!(process_of(&fixture, "antnode3").is_none());
    for number in [1, 2] {
        let page = nodes::page(fixture.colony.ports.metrics_port(number), "/metadata").unwrap();
        assert!(page.contains("antnode_version=\"0.4.17\""), "{page}");
    }

    // Numbers and ports are not reused.
    let _ = fixture
        .wnm(["--force-action=remove", "--service-name=antnode0004"])
        .run()
        .succeeded();
    assert_eq!(fixture.unit_names().len(), 3);
    assert!(!fixture.colony.storage().join("antnode0004").exists());
    let _ = fixture.wnm(["--force-action=add"]).run().succeeded();
    fixture.settle(3);
    let last = fixture.nodes().pop().unwrap();
    assert_eq!((last.id, last.service.as_str()), (5, "antnode5"));
    assert_eq!(last.port, fixture.colony.ports.node_port(5));

    tear_down(&fixture);
    assert!(!fixture.registry().exists() || fixture.services().is_empty());

    // Everything begins again.
    let _ = fixture.wnm(["--force-action=add"]).run().succeeded();
    fixture.settle(1);
    assert_eq!(fixture.nodes()[0].id, 1);
    assert_eq!(fixture.names(), ["antnode1"]);
}
