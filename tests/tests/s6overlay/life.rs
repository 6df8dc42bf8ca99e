//! The life of a small colony: two containers of six nodes at first.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use wnm_tests::colony::Colony;
use wnm_tests::engine::{Engine, Suite, with_engine};
use wnm_tests::nodes;
use wnm_tests::wait::{LONG, until};

use crate::{give_away, statuses};

/// The account that the storage belongs to.
const OWNER: (u32, u32) = (1234, 1235);

struct Stage<'a> {
    engine: &'a mut Engine,
    colony: Colony,
}

impl Stage<'_> {
    fn wnm(&self, args: &[&str]) -> wnm_tests::call::Call {
        self.engine.wnm(&self.colony, args)
    }

    /// One cycle, and what it came to.
    fn cycle(&self) -> String {
        self.wnm(&["--json"]).run().succeeded().status()
    }

    /// Process ids of the services of a container, by name.
    fn pids(&self, container: &str) -> BTreeMap<String, String> {
        let asked = "for s in /run/service/*; do echo ${s##*/} $(s6-svstat -o up,pid $s); done";
        let told = self.engine.inside(container, asked);
        let words = told.lines().filter_map(|line| line.split_once(' '));
        words
            .map(|(name, pid)| (name.to_owned(), pid.to_owned()))
            .collect()
    }

    fn all_run(&self, count: usize) {
        let all = vec!["RUNNING"; count];
        until(LONG, "all nodes to run", || {
            let survey = ["--json", "--force-action=survey"];
            let _ = self.wnm(&survey).run().succeeded();
            statuses(&self.colony) == all
        });
    }
}

fn nodes_live_and_go(suite: Suite) {
    with_engine(suite, |engine| {
        let colony = Colony::new();
        give_away(&colony, OWNER.0, OWNER.1);
        let old = colony.program("0.4.16");
        let options = ["--min-container-count=2"];
        let _ = engine.init(&colony, &old, 6, &options);
        let stage = Stage { engine, colony };
        // The containers are there from the start, before any node.
        let _ = stage.wnm(&["--node-cap=0"]).run().succeeded();
        assert_eq!(stage.engine.containers(), ["a1", "a2"]);

        adds_are_balanced(&stage);
        nodes_are_the_owners(&stage);
        a_killed_node_comes_back(&stage);
        containers_come_back(&stage);
        the_rest_runs_on(&stage);
        a_program_that_does_not_start_is_taken_back(&stage);
        nothing_is_left(&stage);
    });
}

fn adds_are_balanced(stage: &Stage<'_>) {
    let counts = |stage: &Stage<'_>| -> Vec<Option<String>> {
        let per =
            "node JOIN container ON container.id = node.container_id GROUP BY name ORDER BY name";
        let rows = stage.colony.database().rows(&["count(*)"], per);
        rows.into_iter().flatten().collect()
    };
    let add = |count: &str| {
        let call = stage.wnm(&[
            "--json",
            "--node-cap=2000",
            "--force-action=add",
            "--count",
            count,
        ]);
        let _ = call.run().succeeded();
    };
    add("5");
    assert_eq!(counts(stage), [Some("3".to_owned()), Some("2".to_owned())]);
    add("5");
    assert_eq!(stage.engine.containers(), ["a1", "a2"]);
    // Two more fill both, and one begins another.
    add("3");
    assert_eq!(counts(stage), ["6", "6", "1"].map(|n| Some(n.to_owned())));
    assert_eq!(stage.engine.containers(), ["a1", "a2", "a3"]);
    let columns = [
        "name",
        "port_range_start",
        "port_range_end",
        "metrics_port_range_start",
    ];
    let rows = stage
        .colony
        .database()
        .rows(&columns, "container ORDER BY id");
    let rows: Vec<String> = rows.into_iter().flatten().flatten().collect();
    assert_eq!(
        rows.join(" "),
        "a1 55001 55006 13001 a2 55007 55012 13007 a3 55013 55018 13013"
    );
    stage.all_run(13);
    // A cycle adds one by itself as well.
    assert_eq!(
        stage
            .wnm(&["--json", "--node-cap=14", "--max-concurrent-starts=1"])
            .run()
            .succeeded()
            .status(),
        "added-node"
    );
    stage.all_run(14);
}

fn nodes_are_the_owners(stage: &Stage<'_>) {
    let users = stage.engine.inside(
        "a1",
        "ps -o user,args | grep '[a]ntnode --boot' | cut -d' ' -f1",
    );
    assert_eq!(users.lines().collect::<Vec<_>>(), ["ant"; 6], "{users}");
    assert_eq!(
        stage.engine.inside("a1", "id -u ant; id -g ant"),
        "1234\n1235"
    );
    let data = stage.colony.storage().join("antnode0001");
    for path in [data.clone(), data.join("antnode"), data.join("secret-key")] {
        let entry = std::fs::metadata(&path).unwrap();
        assert_eq!((entry.uid(), entry.gid()), OWNER, "{}", path.display());
    }
}

fn a_killed_node_comes_back(stage: &Stage<'_>) {
    let pid = |stage: &Stage<'_>| stage.pids("a1")["antnode0001"].clone();
    let before = pid(stage);
    stage
        .engine
        .inside("a1", "s6-svc -k /run/service/antnode0001");
    until(LONG, "the node to come back", || {
        let now = pid(stage);
        now.starts_with("true") && now != before
    });
    assert_eq!(stage.cycle(), "idle");
}

/// One container restarts, another is deleted: their nodes run again at once, from their data.
fn containers_come_back(stage: &Stage<'_>) {
    let peers = || -> Vec<Option<String>> {
        let rows = stage
            .colony
            .database()
            .rows(&["peer_id"], "node ORDER BY id");
        rows.into_iter().flatten().collect()
    };
    let before = peers();
    assert!(before.iter().all(Option::is_some), "{before:?}");
    let third = stage.pids("a3");
    let _ = stage
        .wnm(&["--force-action=stop", "--service-name=antnode0002"])
        .run()
        .succeeded();
    stage.engine.call(["restart", "a1"]);
    stage.engine.call(["rm", "--force", "a2"]);
    let report = stage.wnm(&["--json"]).run().succeeded();
    assert_eq!(stage.engine.containers(), ["a1", "a2", "a3"]);
    // All at once, and not a few in each cycle as nodes that crashed.
    let told = report.last_json();
    assert_eq!(
        (
            told["running"].as_u64(),
            told["steps"].as_array().map(Vec::len)
        ),
        (Some(13), Some(11)),
        "{told}"
    );
    let _ = stage
        .wnm(&["--json", "--force-action=survey"])
        .run()
        .succeeded();
    let mut expected = vec!["RUNNING"; 14];
    // What a person stopped stays so.
    expected[1] = "STOPPED";
    until(LONG, "all nodes to run again", || {
        let _ = stage.wnm(&["--json"]).run().succeeded();
        statuses(&stage.colony) == expected
    });
    assert_eq!(peers(), before, "{}", report.stdout);
    assert_eq!(
        stage.pids("a3"),
        third,
        "a container that nothing happened to"
    );
    assert!(stage.pids("a1").contains_key("s6rc-fdholder"));
    let _ = stage
        .wnm(&["--force-action=start", "--service-name=antnode0002"])
        .run()
        .succeeded();
    stage.all_run(14);
}

fn the_rest_runs_on(stage: &Stage<'_>) {
    let before = stage.pids("a2");
    let new = stage.colony.program("0.4.17");
    let at = |name: &str| format!("--service-name={name}");
    let _ = stage
        .wnm(&["--force-action=stop", &at("antnode0007")])
        .run()
        .succeeded();
    let _ = stage
        .wnm(&["--force-action=upgrade", &at("antnode0008")])
        .args([Path::new("--antnode-path"), &new])
        .run()
        .succeeded();
    let _ = stage
        .wnm(&["--force-action=remove", &at("antnode0009")])
        .run()
        .succeeded();
    let after = stage.pids("a2");
    assert!(after["antnode0007"].starts_with("false"));
    assert_ne!(after["antnode0008"], before["antnode0008"]);
    assert!(!after.contains_key("antnode0009"));
    for name in [
        "antnode0010",
        "antnode0011",
        "antnode0012",
        "s6rc-oneshot-runner",
    ] {
        assert_eq!(after[name], before[name], "{name}");
    }
    let hidden = stage
        .engine
        .inside("a2", "ls -A /run/service | grep '^[.].*antnode' || true");
    assert_eq!(hidden, "");
    assert!(!stage.colony.storage().join("antnode0009").exists());
    assert!(!stage.colony.storage().join("logs/antnode0009").exists());
    let versions = stage.colony.database().nodes();
    assert_eq!(versions[7].version.as_deref(), Some("0.4.17"));
    assert_eq!(versions[6].version.as_deref(), Some("0.4.16"));
    // The place that became free is taken first, since its container has the fewest but one.
    let page = nodes::page(13008, "/metadata").unwrap();
    assert!(page.contains("antnode_version=\"0.4.17\""), "{page}");
}

fn a_program_that_does_not_start_is_taken_back(stage: &Stage<'_>) {
    let bad = stage.colony.dir().join("programs/bad/antnode");
    std::fs::create_dir_all(bad.parent().unwrap()).unwrap();
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && echo 'Autonomi Node v0.4.18' && exit\necho no luck\nexit 7\n";
    std::fs::write(&bad, script).unwrap();
    std::fs::set_permissions(&bad, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let refused = stage
        .wnm(&["--force-action=upgrade", "--service-name=antnode0010"])
        .args([Path::new("--antnode-path"), &bad])
        .run()
        .refused();
    let said = refused.stdout + &refused.stderr;
    assert!(
        said.contains("exit code 7") && said.contains("no luck"),
        "{said}"
    );
    assert!(
        said.contains("previous program was put back and runs"),
        "{said}"
    );
    let page = nodes::page(13010, "/metadata").unwrap();
    assert!(page.contains("antnode_version=\"0.4.16\""), "{page}");
    // An add with it leaves nothing.
    let before = stage.colony.node_dirs();
    let refused = stage
        .wnm(&["--force-action=add", "--node-cap=2000", "--count=3"])
        .args([Path::new("--antnode-path"), &bad])
        .run()
        .refused();
    assert!(refused.stdout.contains("no luck"), "{}", refused.stdout);
    assert_eq!(stage.colony.node_dirs(), before);

    // Where there is nothing to go back to, the node is wnm's to try again and not s6's.
    let name = "antnode0011";
    let named = format!("--service-name={name}");
    let _ = stage
        .wnm(&["--force-action=stop", &named])
        .run()
        .succeeded();
    std::fs::copy(&bad, stage.colony.storage().join(name).join("antnode")).unwrap();
    let refused = stage
        .wnm(&["--force-action=start", &named])
        .args([Path::new("--antnode-path"), &stage.colony.program("0.4.16")])
        .run()
        .refused();
    assert!(refused.stdout.contains("no luck"), "{}", refused.stdout);
    let asked = format!("s6-svstat -o up,wantedup /run/service/{name}");
    assert_eq!(stage.engine.inside("a2", &asked), "false false");
}

fn nothing_is_left(stage: &Stage<'_>) {
    let _ = stage.wnm(&["--force-action=teardown"]).run().refused();
    assert_eq!(stage.engine.containers(), ["a1", "a2", "a3"]);
    let _ = stage
        .wnm(&["--force-action=teardown", "--confirm"])
        .run()
        .succeeded();
    assert!(stage.engine.containers().is_empty());
    assert_eq!(stage.engine.call(["volume", "ls", "--quiet"]), "");
    assert!(
        stage
            .colony
            .database()
            .rows(&["id"], "container")
            .is_empty()
    );
    stage.colony.assert_nothing_left();
}

#[test]
fn nodes_live_and_go_with_an_older_s6() {
    nodes_live_and_go(Suite::Bookworm);
}

#[test]
fn nodes_live_and_go_with_a_newer_s6() {
    nodes_live_and_go(Suite::Trixie);
}
