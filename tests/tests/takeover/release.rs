//! A released colony, whose nodes run on.

use wnm_tests::systemd::{As, Machine};

use crate::colony::{facts, main_pids};

#[test]
fn a_released_colony_runs_on_and_can_be_adopted_again() {
    let Some(machine) = Machine::up(As::Ann) else {
        return;
    };
    let program = machine.program("0.4.16");
    let _ = machine.init(&program, &["--node-cap=3", "--fleet-memory-max=20G"]);
    machine.grow(3);
    let (before, pids) = (machine.nodes(), main_pids(&machine));
    let limit = || {
        let output = machine.systemctl(["show", "--property=MemoryMax", "--value", "wnm.slice"]);
        output.succeeded().stdout.trim().to_owned()
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
    // Only a copy of wnm's database is left.
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
    refused.assert_stderr_contains("there is no colony");
    // The copy has its settings.
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
    let output = machine.wnm(["export", "--format=config"]).run().succeeded();
    assert_eq!(output.stdout, written.stdout);
    for line in [
        "node_cap=3",
        "fleet_memory_max=20G",
        "max_concurrent_starts=3",
    ] {
        assert!(
            output.stdout.lines().any(|output| output == line),
            "{}",
            output.stdout
        );
    }
}
