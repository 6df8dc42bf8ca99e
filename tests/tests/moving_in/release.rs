//! A colony given up, whose nodes run on.

use wnm_tests::systemd::{As, Machine};

use crate::colony::{facts, main_pids};

#[test]
fn a_released_colony_runs_on_and_can_be_taken_again() {
    let Some(machine) = Machine::up(As::Ann) else {
        return;
    };
    let program = machine.program("0.4.16");
    let _ = machine.init(&program, &["--node-cap=3", "--fleet-memory-max=20G"]);
    machine.grow(3);
    let (before, pids) = (machine.nodes(), main_pids(&machine));
    let limit = || {
        let told = machine.systemctl(["show", "--property=MemoryMax", "--value", "wnm.slice"]);
        told.succeeded().stdout.trim().to_owned()
    };
    assert_eq!(limit(), "21474836480");

    let asked = machine
        .wnm(["release", "--dry-run"])
        .run()
        .succeeded()
        .stdout;
    assert!(asked.contains("3 nodes"), "{asked}");
    assert!(machine.database().exists());
    let _ = machine.wnm(["release", "--json"]).run().succeeded();
    // Nothing of wnm is left but a copy of its database.
    let left: Vec<String> = std::fs::read_dir(machine.database().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let [copy] = left.as_slice() else {
        panic!("{left:?}");
    };
    assert!(copy.starts_with("colony.db.released-"), "{copy}");
    assert!(
        !machine
            .system
            .path(&machine.storage().join(".wnm"))
            .exists()
    );
    assert!(!machine.unit_file("wnm.slice").exists());
    assert_eq!(limit(), "infinity");
    let services: Vec<String> = before.iter().map(|node| node.service.clone()).collect();
    let now: Vec<_> = services.iter().map(|unit| machine.main_pid(unit)).collect();
    assert_eq!(now, pids, "a node was restarted");
    let refused = machine.wnm::<&str>([]).run().refused();
    assert!(
        refused.stderr.contains("there is no colony"),
        "{}",
        refused.stderr
    );
    // What it was told can be had from the copy.
    let copy = machine.database().with_file_name(copy);
    let config = machine.programs.path().join("wnm.conf");
    let export = ["export", "--format=config", "--dbpath"];
    let written = machine.wnm(export).arg(&copy).run().succeeded();
    std::fs::write(&config, &written.stdout).unwrap();
    let _ = machine
        .wnm(["--init", "--import", "-c"])
        .arg(&config)
        .run()
        .succeeded();
    assert_eq!(facts(&machine.nodes()), facts(&before));
    assert_eq!(main_pids(&machine), pids);
    let told = machine.wnm(["export", "--format=config"]).run().succeeded();
    assert_eq!(told.stdout, written.stdout);
    for line in [
        "node_cap=3",
        "fleet_memory_max=20G",
        "max_concurrent_starts=3",
    ] {
        assert!(
            told.stdout.lines().any(|told| told == line),
            "{}",
            told.stdout
        );
    }
}
