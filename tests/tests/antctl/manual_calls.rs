//! An operator who calls antctl directly, before and beside wnm.

use std::fs;

use nix::sys::signal::Signal;
use wnm_tests::wait::{LONG, until};

use super::{colony_of, fixture, process_of, signal};

#[test]
fn import_adopts_the_nodes_of_antctl_unchanged() {
    let Some(fixture) = fixture() else { return };
    for id in [1, 2, 3, 4] {
        let _ = fixture.manual_add(id).run().succeeded();
    }
    for name in ["antnode1", "antnode2"] {
        let start = ["start", "--interval", "1", "--service-name", name];
        let _ = fixture.antctl_call(start).run().succeeded();
    }
    let _ = fixture
        .antctl_call(["remove", "--service-name", "antnode3"])
        .run()
        .succeeded();
    // One of them starts at boot.
    let unit = fixture.units().join("antnode2.service");
    let mut text = fs::read_to_string(&unit).unwrap();
    text.push_str("\n[Install]\nWantedBy=default.target\n");
    fs::write(&unit, text).unwrap();
    let wanted = fixture
        .units()
        .join("default.target.wants/antnode2.service");
    fs::create_dir_all(wanted.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&unit, &wanted).unwrap();
    let before = process_of(&fixture, "antnode1").unwrap();

    let made = fixture.init("antctl+user", "0.4.16", &["--node-cap=3", "--import"]);
    made.assert_stdout_contains("adopted   3 nodes");
    let rows = fixture.nodes();
    let services: Vec<&str> = rows.iter().map(|row| row.service.as_str()).collect();
    assert_eq!(services, ["antnode1", "antnode2", "antnode4"]);
    for row in &rows {
        assert_eq!(
            row.root_dir,
            fixture.registry().with_file_name(&row.service)
        );
    }
    assert_eq!(
        process_of(&fixture, "antnode1").unwrap(),
        before,
        "nothing is restarted"
    );
    let _ = fixture.wnm(["--force-action=survey"]).run().succeeded();
    let states: Vec<String> = fixture.nodes().into_iter().map(|row| row.status).collect();
    assert_eq!(states, ["RUNNING", "RUNNING", "STOPPED"]);

    // What started at boot still does so after an upgrade.
    let upgrade = ["--force-action=upgrade", "--service-name=1,2,4"];
    let newer = fixture.program("0.4.17");
    let _ = fixture
        .wnm(upgrade)
        .arg("--antnode-path")
        .arg(newer)
        .run()
        .succeeded();
    fixture.settle(2);
    assert!(wanted.is_symlink());
    assert!(
        fs::read_to_string(&unit)
            .unwrap()
            .contains("WantedBy=default.target")
    );
    let versions: Vec<Option<String>> =
        fixture.nodes().into_iter().map(|row| row.version).collect();
    assert_eq!(
        versions[0..2],
        [Some("0.4.17".to_owned()), Some("0.4.17".to_owned())]
    );

    let _ = fixture
        .wnm(["--force-action=teardown", "--confirm"])
        .run()
        .succeeded();
    assert!(fixture.nodes().is_empty() && fixture.unit_names().is_empty());
    assert!(fixture.colony.processes().is_empty());
}

#[test]
fn a_teardown_keeps_services_that_wnm_does_not_manage() {
    let Some(fixture) = colony_of(1, "0.4.16") else {
        return;
    };
    let _ = fixture.manual_add(7).run().succeeded();
    let start = ["start", "--interval", "1", "--service-name", "antnode2"];
    let _ = fixture.antctl_call(start).run().succeeded();
    let foreign = process_of(&fixture, "antnode2").unwrap();
    let _ = fixture
        .wnm(["--force-action=teardown", "--confirm"])
        .run()
        .succeeded();
    assert!(fixture.nodes().is_empty());
    assert_eq!(fixture.names(), ["antnode2"]);
    assert_eq!(fixture.unit_names(), ["antnode2.service"]);
    assert_eq!(process_of(&fixture, "antnode2").unwrap(), foreign);
}

#[test]
fn concurrent_manual_calls_lose_no_service() {
    let Some(fixture) = colony_of(1, "0.4.16") else {
        return;
    };
    std::thread::scope(|scope| {
        let operator = scope.spawn(|| {
            // Each call writes back the registry as it was when the call began.
            for _ in 0..20 {
                let _ = fixture.antctl_call(["-v", "status", "--json"]).run();
            }
        });
        let _ = fixture
            .wnm(["--force-action=add", "--count=2"])
            .run()
            .succeeded();
        let _ = fixture
            .wnm(["--force-action=stop", "--service-name=1"])
            .run()
            .succeeded();
        operator.join().unwrap();
    });
    fixture.settle(2);
    let rows = fixture.nodes();
    let mut services: Vec<&str> = rows.iter().map(|row| row.service.as_str()).collect();
    services.sort_unstable();
    services.dedup();
    assert_eq!(services.len(), 3, "{rows:#?}");
    assert_eq!(fixture.names().len(), 3);
    assert_eq!(fixture.unit_names().len(), 3);
    assert!(process_of(&fixture, "antnode1").is_none());
}

#[test]
fn a_hanging_manual_call_delays_wnm_only_for_a_while() {
    let Some(fixture) = colony_of(2, "0.4.16") else {
        return;
    };
    signal(&fixture, "antnode1", Signal::SIGSTOP);
    // Without -v antctl asks the node that hangs.
    let hung = fixture.antctl_call(["status"]).spawn();
    until(LONG, "antctl to hang", || {
        fs::read_to_string(format!("/proc/{}/comm", hung.pid()))
            .is_ok_and(|name| name == "antctl\n")
    });
    let stop = ["--force-action=stop", "--service-name=2"];
    let _ = fixture.wnm(stop).run().succeeded();
    assert!(process_of(&fixture, "antnode2").is_none());
    signal(&fixture, "antnode1", Signal::SIGCONT);
    let _ = hung.end_with(Signal::SIGKILL);
}
