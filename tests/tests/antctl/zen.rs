//! Nodes in the directories and on the ports that antctl chooses.

use super::{fixture, process_of};

#[test]
fn under_zen_antctl_chooses_directories_and_ports_and_wnm_records_them() {
    let Some(fixture) = fixture() else { return };
    // Another user's service makes antctl count differently from wnm.
    let _ = fixture.manual_add(15).run().succeeded();
    fixture.init("antctl+zen", "0.4.16", &["--node-cap=3"]);
    let _ = fixture
        .wnm(["--force-action=add", "--count=2"])
        .run()
        .succeeded();
    fixture.settle(2);
    let rows = fixture.nodes();
    let base = fixture.registry();
    for (row, (id, service)) in rows.iter().zip([(1, "antnode2"), (2, "antnode3")]) {
        assert_eq!((row.id, row.service.as_str()), (id, service));
        assert_eq!(row.root_dir, base.with_file_name(service));
        assert_eq!(
            row.port,
            fixture.colony.ports.node_port(u16::try_from(id).unwrap())
        );
    }
    let removal = ["--force-action=remove", "--service-name=0001"];
    let _ = fixture.wnm(removal).run().succeeded();
    assert_eq!(fixture.names(), ["antnode1", "antnode3"]);
    assert!(!base.with_file_name("antnode2").exists());
    assert!(process_of(&fixture, "antnode3").is_some());
    let _ = fixture
        .wnm(["--force-action=teardown", "--confirm"])
        .run()
        .succeeded();
    assert_eq!(fixture.names(), ["antnode1"], "not managed by wnm");
    assert!(fixture.colony.processes().is_empty());
}
