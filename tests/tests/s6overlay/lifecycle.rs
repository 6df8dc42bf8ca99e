//! The life of a small colony: at first two containers with room for six nodes each.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use wnm_tests::backend::run_until_running;
use wnm_tests::colony::Colony;
use wnm_tests::engine::{Engine, Suite, with_engine};
use wnm_tests::nodes;
use wnm_tests::wait::{LONG, until};

use crate::{give_away, statuses};

/// The account that owns the storage.
const OWNER: (u32, u32) = (1234, 1235);

struct S6Colony<'a> {
    engine: &'a mut Engine,
    colony: Colony,
}

impl S6Colony<'_> {
    fn wnm(&self, args: &[&str]) -> wnm_tests::call::Call {
        self.engine.wnm(&self.colony, args)
    }

    /// One cycle, and its status.
    fn cycle(&self) -> String {
        self.wnm(&["--json"]).run().succeeded().status()
    }

    /// The process ids of a container's services, by name.
    fn pids(&self, container: &str) -> BTreeMap<String, String> {
        let asked = "for s in /run/service/*; do echo ${s##*/} $(s6-svstat -o up,pid $s); done";
        let output = self.engine.run_in(container, asked);
        let words = output.lines().filter_map(|line| line.split_once(' '));
        words
            .map(|(name, pid)| (name.to_owned(), pid.to_owned()))
            .collect()
    }

    fn wait_until_running(&self, count: usize) {
        run_until_running(&self.colony.database(), count, || {
            self.wnm(&["--force-action=survey"])
        });
    }
}

fn a_colony_goes_through_its_whole_life(suite: Suite) {
    with_engine(suite, |engine| {
        let colony = Colony::new();
        give_away(&colony, OWNER.0, OWNER.1);
        let old = colony.program("0.4.16");
        let options = ["--min-container-count=2"];
        let _ = engine.init(&colony, &old, 6, &options);
        let fixture = S6Colony { engine, colony };
        // The containers exist from the start, before any node.
        let _ = fixture.wnm(&["--node-cap=0"]).run().succeeded();
        assert_eq!(fixture.engine.containers(), ["a1", "a2"]);

        adds_are_balanced(&fixture);
        nodes_are_the_owners(&fixture);
        a_killed_node_comes_back(&fixture);
        containers_come_back(&fixture);
        the_rest_runs_on(&fixture);
        a_program_that_does_not_start_is_taken_back(&fixture);
        nothing_is_left(&fixture);
    });
}

fn adds_are_balanced(fixture: &S6Colony<'_>) {
    let counts = |fixture: &S6Colony<'_>| -> Vec<Option<String>> {
        let per =
            "node JOIN container ON container.id = node.container_id GROUP BY name ORDER BY name";
        let rows = fixture.colony.database().rows(&["count(*)"], per);
        rows.into_iter().flatten().collect()
    };
    let add = |count: &str| {
        let call = fixture.wnm(&[
            "--json",
            "--node-cap=2000",
            "--force-action=add",
            "--count",
            count,
        ]);
        let _ = call.run().succeeded();
    };
    add("5");
    assert_eq!(
        counts(fixture),
        [Some("3".to_owned()), Some("2".to_owned())]
    );
    add("5");
    assert_eq!(fixture.engine.containers(), ["a1", "a2"]);
    // Two more fill both, and the next begins another.
    add("3");
    assert_eq!(counts(fixture), ["6", "6", "1"].map(|n| Some(n.to_owned())));
    assert_eq!(fixture.engine.containers(), ["a1", "a2", "a3"]);
    let columns = [
        "name",
        "port_range_start",
        "port_range_end",
        "metrics_port_range_start",
    ];
    let rows = fixture
        .colony
        .database()
        .rows(&columns, "container ORDER BY id");
    let rows: Vec<String> = rows.into_iter().flatten().flatten().collect();
    assert_eq!(
        rows.join(" "),
        "a1 55001 55006 13001 a2 55007 55012 13007 a3 55013 55018 13013"
    );
    fixture.wait_until_running(13);
    // A cycle adds one by itself, too.
    assert_eq!(
        fixture
            .wnm(&["--json", "--node-cap=14", "--max-concurrent-starts=1"])
            .run()
            .succeeded()
            .status(),
        "added-node"
    );
    fixture.wait_until_running(14);
}

fn nodes_are_the_owners(fixture: &S6Colony<'_>) {
    let users = fixture.engine.run_in(
        "a1",
        "ps -o user,args | grep '[a]ntnode --boot' | cut -d' ' -f1",
    );
    assert_eq!(users.lines().collect::<Vec<_>>(), ["ant"; 6], "{users}");
    assert_eq!(
        fixture.engine.run_in("a1", "id -u ant; id -g ant"),
        "1234\n1235"
    );
    let data = fixture.colony.storage().join("antnode0001");
    for path in [data.clone(), data.join("antnode"), data.join("secret-key")] {
        let entry = std::fs::metadata(&path).unwrap();
        assert_eq!((entry.uid(), entry.gid()), OWNER, "{}", path.display());
    }
}

fn a_killed_node_comes_back(fixture: &S6Colony<'_>) {
    let pid = |fixture: &S6Colony<'_>| fixture.pids("a1")["antnode0001"].clone();
    let before = pid(fixture);
    fixture
        .engine
        .run_in("a1", "s6-svc -k /run/service/antnode0001");
    until(LONG, "the node to come back", || {
        let now = pid(fixture);
        now.starts_with("true") && now != before
    });
    assert_eq!(fixture.cycle(), "idle");
}

/// One container restarts, another is deleted: their nodes run again at once, with their data.
fn containers_come_back(fixture: &S6Colony<'_>) {
    let peers = || -> Vec<Option<String>> {
        let rows = fixture
            .colony
            .database()
            .rows(&["peer_id"], "node ORDER BY id");
        rows.into_iter().flatten().collect()
    };
    let before = peers();
    assert!(before.iter().all(Option::is_some), "{before:?}");
    let third = fixture.pids("a3");
    let _ = fixture
        .wnm(&["--force-action=stop", "--service-name=antnode0002"])
        .run()
        .succeeded();
    fixture.engine.call(["restart", "a1"]);
    fixture.engine.call(["rm", "--force", "a2"]);
    let report = fixture.wnm(&["--json"]).run().succeeded();
    assert_eq!(fixture.engine.containers(), ["a1", "a2", "a3"]);
    // All at once, and not a few in each cycle as after crashes of nodes.
    let answer = report.last_json();
    assert_eq!(
        (
            answer["running"].as_u64(),
            answer["steps"].as_array().map(Vec::len)
        ),
        (Some(13), Some(11)),
        "{answer}"
    );
    let _ = fixture
        .wnm(&["--json", "--force-action=survey"])
        .run()
        .succeeded();
    let mut expected = vec!["RUNNING"; 14];
    // What the operator stopped stays stopped.
    expected[1] = "STOPPED";
    until(LONG, "all nodes to run again", || {
        let _ = fixture.wnm(&["--json"]).run().succeeded();
        statuses(&fixture.colony) == expected
    });
    assert_eq!(peers(), before, "{}", report.stdout);
    assert_eq!(
        fixture.pids("a3"),
        third,
        "a container that nothing happened to"
    );
    assert!(fixture.pids("a1").contains_key("s6rc-fdholder"));
    let _ = fixture
        .wnm(&["--force-action=start", "--service-name=antnode0002"])
        .run()
        .succeeded();
    fixture.wait_until_running(14);
}

fn the_rest_runs_on(fixture: &S6Colony<'_>) {
    let before = fixture.pids("a2");
    let new = fixture.colony.program("0.4.17");
    let at = |name: &str| format!("--service-name={name}");
    let _ = fixture
        .wnm(&["--force-action=stop", &at("antnode0007")])
        .run()
        .succeeded();
    let _ = fixture
        .wnm(&["--force-action=upgrade", &at("antnode0008")])
        .args([Path::new("--antnode-path"), &new])
        .run()
        .succeeded();
    let _ = fixture
        .wnm(&["--force-action=remove", &at("antnode0009")])
        .run()
        .succeeded();
    let after = fixture.pids("a2");
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
    let hidden = fixture
        .engine
        .run_in("a2", "ls -A /run/service | grep '^[.].*antnode' || true");
    assert_eq!(hidden, "");
    assert!(!fixture.colony.storage().join("antnode0009").exists());
    assert!(!fixture.colony.storage().join("logs/antnode0009").exists());
    let versions = fixture.colony.database().nodes();
    assert_eq!(versions[7].version.as_deref(), Some("0.4.17"));
    assert_eq!(versions[6].version.as_deref(), Some("0.4.16"));
    // The free place is taken first, since its container has the fewest nodes.
    let page = nodes::page(13008, "/metadata").unwrap();
    assert!(page.contains("antnode_version=\"0.4.17\""), "{page}");
}

fn a_program_that_does_not_start_is_taken_back(fixture: &S6Colony<'_>) {
    let bad = fixture.colony.dir().join("programs/bad/antnode");
    std::fs::create_dir_all(bad.parent().unwrap()).unwrap();
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && echo 'Autonomi Node v0.4.18' && exit\necho no luck\nexit 7\n";
    std::fs::write(&bad, script).unwrap();
    std::fs::set_permissions(&bad, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let refused = fixture
        .wnm(&["--force-action=upgrade", "--service-name=antnode0010"])
        .args([Path::new("--antnode-path"), &bad])
        .run()
        .refused();
    let printed = refused.stdout + &refused.stderr;
    assert!(
        printed.contains("exit code 7") && printed.contains("no luck"),
        "{printed}"
    );
    assert!(
        printed.contains("previous program was put back and runs"),
        "{printed}"
    );
    let page = nodes::page(13010, "/metadata").unwrap();
    assert!(page.contains("antnode_version=\"0.4.16\""), "{page}");
    // An add with it leaves nothing.
    let before = fixture.colony.node_dirs();
    let refused = fixture
        .wnm(&["--force-action=add", "--node-cap=2000", "--count=3"])
        .args([Path::new("--antnode-path"), &bad])
        .run()
        .refused();
    refused.assert_stdout_contains("no luck");
    assert_eq!(fixture.colony.node_dirs(), before);

    // With nothing to roll back to, wnm restarts the node, and s6 does not.
    let name = "antnode0011";
    let named = format!("--service-name={name}");
    let _ = fixture
        .wnm(&["--force-action=stop", &named])
        .run()
        .succeeded();
    std::fs::copy(&bad, fixture.colony.storage().join(name).join("antnode")).unwrap();
    let refused = fixture
        .wnm(&["--force-action=start", &named])
        .args([
            Path::new("--antnode-path"),
            &fixture.colony.program("0.4.16"),
        ])
        .run()
        .refused();
    refused.assert_stdout_contains("no luck");
    let asked = format!("s6-svstat -o up,wantedup /run/service/{name}");
    assert_eq!(fixture.engine.run_in("a2", &asked), "false false");
}

fn nothing_is_left(fixture: &S6Colony<'_>) {
    let _ = fixture.wnm(&["--force-action=teardown"]).run().refused();
    assert_eq!(fixture.engine.containers(), ["a1", "a2", "a3"]);
    let _ = fixture
        .wnm(&["--force-action=teardown", "--confirm"])
        .run()
        .succeeded();
    assert!(fixture.engine.containers().is_empty());
    assert_eq!(fixture.engine.call(["volume", "ls", "--quiet"]), "");
    assert!(
        fixture
            .colony
            .database()
            .rows(&["id"], "container")
            .is_empty()
    );
    fixture.colony.assert_nothing_left();
}

#[test]
fn a_colony_goes_through_its_whole_life_with_an_older_s6() {
    a_colony_goes_through_its_whole_life(Suite::Bookworm);
}

#[test]
fn a_colony_goes_through_its_whole_life_with_a_newer_s6() {
    a_colony_goes_through_its_whole_life(Suite::Trixie);
}
