//! A colony lives and goes.

use nix::sys::signal::Signal;

use super::{colony_of, process_of, signal};
use wnm_tests::nodes;

#[test]
fn a_colony_of_real_nodes_lives_and_goes() {
    let Some(fixture) = colony_of(3, "0.4.16") else {
        return;
    };
    let rows = fixture.nodes();
    for (row, number) in rows.iter().zip(1..) {
        // antctl's name by its own count, in a directory by wnm's.
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

    // What is killed stays down under antctl, and wnm brings it back.
    process_of(&fixture, "antnode2").unwrap().kill();
    let healed = fixture.wnm(["--json", "--node-cap=3"]).run().succeeded();
    assert_eq!(healed.status(), "started-node", "{}", healed.stdout);
    fixture.settle(3);

    // A node that hangs keeps nothing else from being done.
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

    // An upgrade starts what ran and nothing else, and changes nobody's name.
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
    // Which of them are to be upgraded is wnm's to decide, and one that is stopped is not.
    assert_eq!(versions, ["0.4.17", "0.4.17", "0.4.16", "0.4.16"]);
    let now: Vec<Option<String>> = rows.into_iter().map(|row| row.peer_id).take(3).collect();
    assert_eq!(now, peers, "an upgrade must not change who a node is");
    assert!(process_of(&fixture, "antnode3").is_none());
    for number in [1, 2] {
        let page = nodes::page(fixture.colony.ports.metrics_port(number), "/metadata").unwrap();
        assert!(page.contains("antnode_version=\"0.4.17\""), "{page}");
    }

    // A number is given once, and so is a port.
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

    let _ = fixture
        .wnm(["--force-action=teardown", "--confirm"])
        .run()
        .succeeded();
    fixture.colony.assert_nothing_left();
    assert_eq!(fixture.unit_names(), [""; 0]);
    assert!(!fixture.registry().exists() || fixture.services().is_empty());

    // And all begins anew.
    let _ = fixture.wnm(["--force-action=add"]).run().succeeded();
    fixture.settle(1);
    assert_eq!(fixture.nodes()[0].id, 1);
    assert_eq!(fixture.names(), ["antnode1"]);
}
