//! A container that cannot have its whole block of ports is not made, and whoever asks is told which range it is.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::path::Path;

use wnm_tests::colony::Colony;
use wnm_tests::engine::{Engine, Suite, with_engine};
use wnm_tests::wait::{LONG, until};

use crate::statuses;

/// Somebody else's listener, for as long as it is kept.
fn hold(what: &str, port: u16) -> OwnedFd {
    match what {
        "node" => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))
            .unwrap()
            .into(),
        _ => TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .unwrap()
            .into(),
    }
}

/// Adds, which has to be refused, and gives the lines in which a container would need something; without those of
/// the log, which tells of containers that should be there anyway.
fn refusals(engine: &Engine, colony: &Colony, more: &[&str]) -> Vec<String> {
    let args = [&["--force-action=add"], more].concat();
    let refused = engine.wnm(colony, &args).run().refused();
    let said = refused.stdout + &refused.stderr;
    let about = said
        .lines()
        .filter(|line| line.contains("would need") && !line.contains(" WARN "));
    about.map(str::to_owned).collect()
}

fn add(engine: &Engine, colony: &Colony, count: &str) -> String {
    let args = ["--force-action=add", "--count", count];
    engine.wnm(colony, &args).run().succeeded().stdout
}

/// That a colony has these nodes and no more, all of them running, and the engine these containers.
fn assert_there_are(engine: &Engine, colony: &Colony, nodes: &[&str], containers: &[&str]) {
    let names = || -> Vec<String> {
        colony
            .database()
            .nodes()
            .into_iter()
            .map(|node| node.name)
            .collect()
    };
    assert_eq!(names(), nodes);
    assert_eq!(engine.containers(), containers);
    until(LONG, "all nodes to run", || {
        let survey = ["--force-action=survey"];
        let _ = engine.wnm(colony, &survey).run().succeeded();
        statuses(colony).iter().all(|status| status == "RUNNING")
    });
}

#[test]
fn a_container_is_not_made_where_another_program_has_one_of_its_ports() {
    with_engine(Suite::Bookworm, |engine| {
        for network in ["host", "published"] {
            let colony = Colony::new();
            let program = colony.program("0.4.17");
            let options = ["--container-network", network];
            let _ = engine.init(&colony, &program, 5, &options);
            for (what, port, range) in [
                ("node", 55_005, "55001-55005"),
                ("metrics", 13_004, "13001-13005"),
                ("rpc", 30_003, "30001-30005"),
            ] {
                // Where a container has a network of its own, only what it publishes can be in anyone's way.
                if network == "published" && what != "node" {
                    continue;
                }
                let held = hold(what, port);
                let said = refusals(engine, &colony, &["--count=3"]);
                let expected = format!(
                    "add antnode0001, antnode0002, antnode0003: container a1 would need {what} ports {range}, \
                     of which {port} is taken by another program; end that, or choose other ports at --init"
                );
                assert_eq!(said, [expected], "{network}");
                assert_there_are(engine, &colony, &[], &[]);
                assert!(colony.node_dirs().is_empty());
                drop(held);
            }
            let elsewhere = (network == "published").then(|| hold("metrics", 13_002));
            let _ = add(engine, &colony, "5");
            let all = ["0001", "0002", "0003", "0004", "0005"];
            assert_there_are(engine, &colony, &all, &["a1"]);
            drop(elsewhere);

            // The first container is full. That the next cannot be made is no matter of its nodes.
            let first = engine.call(["inspect", "--format", "{{.Id}} {{.State.StartedAt}}", "a1"]);
            let held = hold("node", 55_008);
            let said = refusals(engine, &colony, &[]).join("\n");
            assert!(
                said.contains("container a2 would need node ports 55006-55010, of which 55008"),
                "{said}"
            );
            assert_there_are(engine, &colony, &all, &["a1"]);
            let now = engine.call(["inspect", "--format", "{{.Id}} {{.State.StartedAt}}", "a1"]);
            assert_eq!(now, first);
            drop(held);
            let _ = add(engine, &colony, "1");
            assert_there_are(
                engine,
                &colony,
                &[&all[..], &["0006"]].concat(),
                &["a1", "a2"],
            );
            // A container that nodes live in comes back although it is none of the first ones.
            engine.call(["rm", "--force", "a2"]);
            let _ = engine.wnm(&colony, &["--node-cap=6"]).run().succeeded();
            assert_there_are(
                engine,
                &colony,
                &[&all[..], &["0006"]].concat(),
                &["a1", "a2"],
            );
            end(engine, &colony);
        }
    });
}

#[test]
fn a_port_that_is_lost_later_costs_its_number_and_not_the_container() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = Colony::new();
        let program = colony.program("0.4.17");
        let _ = engine.init(&colony, &program, 6, &[]);
        let _ = add(engine, &colony, "2");
        let id = || engine.call(["inspect", "--format", "{{.Id}} {{.State.StartedAt}}", "a1"]);
        let before = id();
        let held = [hold("node", 55_003), hold("metrics", 13_004)];
        let said = add(engine, &colony, "1");
        for blocked in [
            "number 3 cannot be given: node port 55003 of container a1 (55001-55006) is taken",
            "number 4 cannot be given: metrics port 13004 of container a1 (13001-13006) is taken",
        ] {
            assert!(said.contains(blocked), "'{blocked}' in {said}");
        }
        let three = ["0001", "0002", "0005"];
        assert_there_are(engine, &colony, &three, &["a1"]);
        assert_eq!(id(), before);
        // It is even made again: its nodes do not have that port.
        engine.call(["rm", "--force", "a1"]);
        let _ = engine.wnm(&colony, &["--node-cap=3"]).run().succeeded();
        assert_there_are(engine, &colony, &three, &["a1"]);
        assert_ne!(id(), before);
        drop(held);
        let raised = ["--node-cap=6", "--force-action=add", "--count=2"];
        let _ = engine.wnm(&colony, &raised).run().succeeded();
        let five = ["0001", "0002", "0003", "0004", "0005"];
        assert_there_are(engine, &colony, &five, &["a1"]);
        end(engine, &colony);
    });
}

#[test]
fn a_container_whose_ports_would_end_or_overlap_is_refused_before_anything_is_made() {
    let colony = Colony::new();
    let program = colony.program("0.4.17");
    let init = |more: &[&str]| {
        colony
            .wnm(["--init", "--process-manager=s6overlay+user"])
            .args(["--rewards-address", wnm_tests::nodes::WALLET])
            .args([Path::new("--antnode-path"), &program])
            .args([Path::new("--node-storage"), &colony.storage()])
            .args(more)
            .run()
            .refused()
            .stderr
    };
    let past = "container a3 would need node ports 65401-65600, past 65535";
    let overlap =
        "container a6 would need metrics ports 55001-55200, which overlap node ports 55001-56200";
    let said = init(&["--port-start=65", "--min-container-count=7"]);
    assert!(said.contains(past), "{said}");
    let said = init(&["--metrics-port-start=54", "--min-container-count=9"]);
    assert!(said.contains(overlap), "{said}");
    assert!(!colony.database().exists());

    with_engine(Suite::Bookworm, |engine| {
        for (start, cap, expected) in [
            ("--port-start=65", 400, past),
            ("--metrics-port-start=54", 1000, overlap),
        ] {
            let colony = Colony::new();
            let fitting = format!("--node-cap={cap}");
            let _ = engine.init(&colony, &program, 200, &[start, &fitting]);
            // One node more would need another container.
            let more = format!("--node-cap={}", cap + 1);
            let said = refusals(engine, &colony, &[&more]);
            assert!(said.len() == 1 && said[0].contains(expected), "{said:?}");
            assert_there_are(engine, &colony, &[], &[]);
            // The Python wnm stores any cap.
            let sql = format!("UPDATE machine SET node_cap = {}", cap + 1);
            colony.database().execute(&sql);
            let count = format!("--count={}", cap + 1);
            let said = refusals(engine, &colony, &[&count]);
            assert!(said.len() == 1 && said[0].contains(expected), "{said:?}");
            assert!(colony.node_dirs().is_empty());
            // What is refused makes nothing, not even the containers that should always run.
            assert_there_are(engine, &colony, &[], &[]);
            end(engine, &colony);
        }
    });
}

fn end(engine: &Engine, colony: &Colony) {
    let teardown = ["--force-action=teardown", "--confirm"];
    let _ = engine.wnm(colony, &teardown).run().succeeded();
    assert!(engine.containers().is_empty());
    colony.assert_nothing_left();
}
