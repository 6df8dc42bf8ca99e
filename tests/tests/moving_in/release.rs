//! A colony given up, whose nodes run on.

use wnm_tests::systemd::{As, Inside};

use crate::colony::{facts, main_pids};

#[test]
fn a_released_colony_runs_on_and_can_be_taken_again() {
    let Some(inside) = Inside::up(As::Ann) else {
        return;
    };
    let program = inside.program("0.4.16");
    let _ = inside.init(&program, &["--node-cap=3", "--fleet-memory-max=20G"]);
    inside.grow(3);
    let (before, pids) = (inside.nodes(), main_pids(&inside));
    let limit = || {
        let told = inside.systemctl(["show", "--property=MemoryMax", "--value", "wnm.slice"]);
        told.succeeded().stdout.trim().to_owned()
    };
    assert_eq!(limit(), "21474836480");

    let asked = inside
        .wnm(["release", "--dry-run"])
        .run()
        .succeeded()
        .stdout;
    assert!(asked.contains("3 nodes"), "{asked}");
    assert!(inside.database().exists());
    let _ = inside.wnm(["release", "--json"]).run().succeeded();
    // Nothing of wnm is left but a copy of its database.
    let left: Vec<String> = std::fs::read_dir(inside.database().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let [copy] = left.as_slice() else {
        panic!("{left:?}");
    };
    assert!(copy.starts_with("colony.db.released-"), "{copy}");
    assert!(!inside.system.path(&inside.storage().join(".wnm")).exists());
    assert!(!inside.unit_file("wnm.slice").exists());
    assert_eq!(limit(), "infinity");
    let services: Vec<String> = before.iter().map(|node| node.service.clone()).collect();
    let now: Vec<_> = services.iter().map(|unit| inside.main_pid(unit)).collect();
    assert_eq!(now, pids, "a node was restarted");
    let refused = inside.wnm::<&str>([]).run().refused();
    assert!(
        refused.stderr.contains("there is no colony"),
        "{}",
        refused.stderr
    );
    // What it was told can be had from the copy.
    let copy = inside.database().with_file_name(copy);
    let config = inside.programs.path().join("wnm.conf");
    let export = ["export", "--format=config", "--dbpath"];
    let written = inside.wnm(export).arg(&copy).run().succeeded();
    std::fs::write(&config, &written.stdout).unwrap();
    let _ = inside
        .wnm(["--init", "--import", "-c"])
        .arg(&config)
        .run()
        .succeeded();
    assert_eq!(facts(&inside.nodes()), facts(&before));
    assert_eq!(main_pids(&inside), pids);
    let told = inside.wnm(["export", "--format=config"]).run().succeeded();
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
