//! A colony created from running nodes.

use std::path::Path;

use wnm_tests::call::Call;
use wnm_tests::colony::EAGER;
use wnm_tests::database::Database;
use wnm_tests::nodes;
use wnm_tests::systemd::{As, Machine};
use wnm_tests::wait::{LONG, until};

use crate::colony::{facts, main_pids};

/// `--init --import` with only those options that cannot be discovered.
fn import(machine: &Machine, program: &Path) -> Call {
    machine
        .wnm(["--init", "--import", "--process-manager", machine.kind()])
        .args([Path::new("--antnode-path"), program])
}

fn delete_database(machine: &Machine) {
    let state = machine.database().parent().unwrap().to_owned();
    for entry in std::fs::read_dir(&state).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
}

/// A colony whose database was lost is created again as it was, and its nodes run on.
fn a_lost_database_is_recreated(who: As) {
    let Some(machine) = Machine::up(who) else {
        return;
    };
    let program = machine.program("0.4.16");
    let ports = ["--node-cap=4", "--port-start=41", "--metrics-port-start=42"];
    let _ = machine.init(&program, &ports);
    machine.grow(4);
    let _ = machine
        .wnm(["--force-action=stop", "--service-name=antnode0003"])
        .run()
        .succeeded();
    let (before, pids) = (machine.nodes(), main_pids(&machine));
    delete_database(&machine);

    // A dry run lists everything and does nothing.
    let asked = import(&machine, &program)
        .arg("--dry-run")
        .run()
        .succeeded();
    for output in ["would adopt 4 nodes", "antnode0003  STOPPED", "41001/42001"] {
        asked.assert_stdout_contains(output);
    }
    assert!(!machine.database().exists());
    let made = import(&machine, &program).arg("--json").run().succeeded();
    assert_eq!(made.last_json()["adopted"], 4);
    assert_eq!(facts(&machine.nodes()), facts(&before));
    assert_eq!(
        machine.statuses(),
        ["RUNNING", "RUNNING", "STOPPED", "RUNNING"]
    );
    assert_eq!(main_pids(&machine), pids, "a node was restarted");
    // As old as its identity.
    for (id, row) in [("0001", 1), ("0003", 3)] {
        let key = machine.storage().join(format!("antnode{id}/secret-key"));
        let written = machine
            .system
            .path(&key)
            .metadata()
            .unwrap()
            .modified()
            .unwrap();
        let written = written
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let age = Database::at(&machine.database())
            .value(&format!("SELECT age FROM node WHERE id = {row}"));
        assert_eq!(age, Some(written.to_string()));
    }
    let config = machine
        .wnm(["--report=machine-config"])
        .run()
        .succeeded()
        .stdout;
    for line in [
        "port_start: 41",
        "metrics_port_start: 42",
        nodes::WALLET,
        "no_upnp: True",
    ] {
        assert!(config.contains(line), "{config}");
    }
    // It goes on as before.
    let _ = machine
        .wnm(EAGER)
        .arg("--force-action=start")
        .arg("--service-name=3")
        .run()
        .succeeded();
    assert_eq!(machine.state("antnode0003.service"), "active");
    assert_eq!(main_pids(&machine)[..2], pids[..2]);
    until(LONG, "the started node to say who it is", || {
        let _ = machine.wnm(["--force-action=survey"]).run().succeeded();
        machine.nodes()[2].peer_id == before[2].peer_id
    });
}

#[test]
fn a_lost_database_of_a_user_is_recreated_from_running_nodes() {
    a_lost_database_is_recreated(As::Ann);
}

#[test]
fn a_lost_database_of_the_machine_is_recreated_from_running_nodes() {
    a_lost_database_is_recreated(As::Root);
}

#[test]
fn import_lists_what_it_cannot_adopt_and_refuses_a_low_cap_or_a_missing_disk() {
    let Some(machine) = Machine::up(As::Ann) else {
        return;
    };
    let program = machine.program("0.4.16");
    let _ = machine.init(&program, &["--node-cap=3"]);
    machine.grow(3);
    delete_database(&machine);
    // A second unit with a port that is taken, and one without its directory.
    let unit = |name: &str| machine.unit_file(name);
    let text = std::fs::read_to_string(unit("antnode0001.service")).unwrap();
    for (id, port) in [("0008", "55001"), ("0009", "55009")] {
        let text = text.replace("antnode0001", &format!("antnode{id}"));
        let text = text.replace("--port 55001", &format!("--port {port}"));
        std::fs::write(unit(&format!("antnode{id}.service")), text).unwrap();
    }
    let _ = machine.systemctl(["daemon-reload"]).succeeded();

    let refused = import(&machine, &program)
        .arg("--node-cap=2")
        .run()
        .refused();
    refused.assert_stderr_contains("remove 3 with their data");
    assert!(!machine.database().exists());
    let made = import(&machine, &program).run().succeeded().stdout;
    for output in [
        "adopted   4 nodes as they are (3 RUNNING, 1 DEAD)",
        "left alone: antnode0008.service has the same port 55001 as antnode0001.service, which runs",
        "without a directory, to be removed by the next cycle: antnode0009.service",
    ] {
        assert!(made.contains(output), "{made}");
    }
    // A later search finds only the node that was left alone.
    let more = machine.wnm(["--import"]).run().succeeded().stdout;
    assert!(more.contains("left alone: antnode0008.service"), "{more}");
    assert_eq!(machine.nodes().len(), 4);

    // The disk with the nodes is missing.
    delete_database(&machine);
    let storage = machine.storage();
    let away = storage.with_extension("away");
    let _ = machine.run("/bin/mv", [&storage, &away]).succeeded();
    let _ = machine.run("/bin/mkdir", [&storage]).succeeded();
    let refused = import(&machine, &program).run().refused();
    refused.assert_stderr_contains("mount the disk");
    assert!(!machine.database().exists());
    let left = machine
        .run("/bin/ls", [Path::new("-A"), &storage])
        .succeeded();
    assert_eq!(left.stdout, "", "the wrong disk was marked");
}
