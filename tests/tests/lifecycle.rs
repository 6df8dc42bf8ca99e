//! The main case from end to end, under `setsid+user` with simulated nodes: create a colony, let accidents happen to
//! it, and tear it down.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use wnm_tests::colony::Colony;
use wnm_tests::nodes;

const CAP: usize = 8;

/// A colony for simulated nodes with a cap of eight.
fn colony() -> Colony {
    Colony::simulated("0.4.16", &["--node-cap=8"])
}

/// Runs cycles until all nodes run. Fails after more cycles than that can need.
fn grow(colony: &Colony) {
    for _ in 0..CAP * 2 {
        colony.wnm::<&str>([]).run().succeeded();
        if running(colony) == CAP {
            return;
        }
    }
    panic!(
        "{CAP} nodes do not come up: {:#?}",
        colony.database().nodes()
    );
}

fn running(colony: &Colony) -> usize {
    colony
        .database()
        .nodes()
        .iter()
        .filter(|node| node.status == "RUNNING")
        .count()
}

#[test]
fn eight_nodes_start_are_kept_running_and_leave_no_trace() {
    let colony = colony();
    grow(&colony);
    assert_eq!(colony.processes().len(), CAP);
    assert_eq!(colony.node_dirs().len(), CAP);
    for node in 1..=CAP {
        let port = colony.ports.metrics_port(u16::try_from(node).unwrap());
        assert!(
            nodes::page(port, "/metadata")
                .unwrap()
                .contains("antnode_version=\"0.4.16\"")
        );
    }

    // At the cap no node is added.
    let idle = colony.wnm(["--json"]).run().succeeded();
    assert_eq!(idle.status(), "idle");

    // One is killed. The next cycle sees it and restarts it, and only it.
    let before = colony.processes();
    let victim = &before[3];
    victim.kill();
    let healed = colony.wnm(["--json"]).run().succeeded();
    assert_eq!(healed.status(), "started-node", "{}", healed.stdout);
    let after = colony.processes();
    assert_eq!(after.len(), CAP);
    let kept = after
        .iter()
        .filter(|now| before.iter().any(|then| then.pid == now.pid))
        .count();
    assert_eq!(kept, CAP - 1);
    let journal = colony.wnm(["events", "--since", "1h"]).run().succeeded();
    journal.assert_stdout_contains("start");

    // Without the confirmation nothing is torn down.
    let refused = colony.wnm(["--force-action", "teardown"]).run().refused();
    refused.assert_stderr_contains("--confirm");
    assert_eq!(colony.processes().len(), CAP);

    let gone = colony
        .wnm(["--force-action", "teardown", "--confirm", "--json"])
        .run()
        .succeeded();
    assert_eq!(gone.status(), "cluster-teardown");
    colony.assert_nothing_left();
}

#[test]
fn upgraded_nodes_keep_their_identity() {
    let colony = colony();
    grow(&colony);
    let identity = |colony: &Colony| -> Vec<String> {
        colony
            .database()
            .nodes()
            .iter()
            .map(|node| node.peer_id.clone().unwrap())
            .collect()
    };
    let before = identity(&colony);

    let newer = colony.program("0.4.17");
    let path = newer.to_str().unwrap();
    let upgrade = [
        "--enable-upgrade",
        "--antnode-path",
        path,
        "--max-concurrent-upgrades=3",
    ];
    for _ in 0..CAP {
        colony.wnm(upgrade).run().succeeded();
    }
    for node in colony.database().nodes() {
        assert_eq!(node.version.as_deref(), Some("0.4.17"), "{node:?}");
    }
    for node in 1..=CAP {
        let port = colony.ports.metrics_port(u16::try_from(node).unwrap());
        assert!(
            nodes::page(port, "/metadata")
                .unwrap()
                .contains("antnode_version=\"0.4.17\"")
        );
    }
    assert_eq!(identity(&colony), before);
    assert_eq!(colony.processes().len(), CAP);
}

#[test]
fn a_lower_cap_removes_the_youngest_node_and_a_dead_node_loses_its_row() {
    let colony = colony();
    grow(&colony);
    let removals = ["--max-concurrent-removals=3", "--node-cap=6"];
    for _ in 0..4 {
        colony.wnm(removals).run().succeeded();
    }
    let ids: Vec<u32> = colony
        .database()
        .nodes()
        .iter()
        .map(|node| node.id)
        .collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6]);
    assert_eq!(colony.node_dirs().len(), 6);
    assert_eq!(colony.processes().len(), 6);

    // Somebody deleted the directory, and the process is gone, too.
    let victim = colony.processes().into_iter().next().unwrap();
    victim.kill();
    std::fs::remove_dir_all(victim.root_dir().unwrap()).unwrap();
    let removed = colony.wnm(["--json"]).run().succeeded();
    assert_eq!(removed.status(), "removed-dead-nodes", "{}", removed.stdout);
    assert_eq!(colony.database().nodes().len(), 5);
}

#[test]
fn a_missing_storage_makes_no_node_dead() {
    let colony = colony();
    grow(&colony);
    let away = colony.dir().join("away");
    for process in colony.processes() {
        process.kill();
    }
    std::fs::rename(colony.storage(), &away).unwrap();
    std::fs::create_dir(colony.storage()).unwrap();
    colony.wnm::<&str>([]).run().succeeded();
    assert_eq!(
        colony.database().nodes().len(),
        CAP,
        "rows went with the disk"
    );
    std::fs::remove_dir_all(colony.storage()).unwrap();
    std::fs::rename(&away, colony.storage()).unwrap();
    grow(&colony);
    assert_eq!(colony.processes().len(), CAP);
}

#[test]
fn a_dry_run_and_a_plan_change_nothing() {
    let colony = colony();
    colony.wnm::<&str>([]).run().succeeded();
    let before = std::fs::read(colony.database_path()).unwrap();
    let processes = colony.processes().len();

    colony.wnm(["--dry-run", "--node-cap=4"]).run().succeeded();
    let plan = colony.wnm(["plan", "--json"]).run().succeeded();
    for action in ["add", "stop", "remove"] {
        colony
            .wnm(["--dry-run", "--force-action", action])
            .run()
            .succeeded();
    }
    colony
        .wnm(["--dry-run", "--force-action", "teardown", "--confirm"])
        .run()
        .succeeded();
    assert_eq!(std::fs::read(colony.database_path()).unwrap(), before);
    assert_eq!(colony.processes().len(), processes);

    // The output of a plan can be read back, and leads to the same decisions on any machine.
    let file = colony.dir().join("snapshot.json");
    std::fs::write(&file, &plan.stdout).unwrap();
    let path = file.to_str().unwrap();
    let again = colony
        .wnm(["plan", "--snapshot", path, "--json"])
        .run()
        .succeeded();
    assert_eq!(again.last_json()["plan"], plan.last_json()["plan"]);
}
