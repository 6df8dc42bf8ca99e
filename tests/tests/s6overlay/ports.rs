//! A container that cannot have its whole block of ports is not created, and the error names the range.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::path::Path;

use wnm_tests::colony::Colony;
use wnm_tests::engine::{Engine, Suite, with_engine};
use wnm_tests::wait::{LONG, until};

use crate::{empty_colony, statuses};

/// A listener of another program, until it is dropped.
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

/// Calls an add that must be refused. Returns the lines about a container's needs, without those of the log, which
/// concern the containers that should exist anyway.
fn refusals(engine: &Engine, colony: &Colony, more: &[&str]) -> Vec<String> {
    let args = [&["--force-action=add"], more].concat();
    let refused = engine.wnm(colony, &args).run().refused();
    let printed = refused.stdout + &refused.stderr;
    let about = printed
        .lines()
        .filter(|line| line.contains("would need") && !line.contains(" WARN "));
    about.map(str::to_owned).collect()
}

fn add(engine: &Engine, colony: &Colony, count: &str) -> String {
    let args = ["--force-action=add", "--count", count];
    engine.wnm(colony, &args).run().succeeded().stdout
}

/// Fails the test unless these nodes exist and run, and the engine has these containers.
fn assert_nodes_and_containers(
    engine: &Engine,
    colony: &Colony,
    nodes: &[&str],
    containers: &[&str],
) {
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
fn a_container_is_not_created_when_one_of_its_ports_is_taken() {
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
                // A container with its own network needs only the ports that it publishes.
                if network == "published" && what != "node" {
                    continue;
                }
                let held = hold(what, port);
                let printed = refusals(engine, &colony, &["--count=3"]);
                let expected = format!(
                    "add antnode0001, antnode0002, antnode0003: container a1 would need {what} ports {range}, \
                     of which {port} is taken by another program; end that, or choose other ports at --init"
                );
                assert_eq!(printed, [expected], "{network}");
                assert_nodes_and_containers(engine, &colony, &[], &[]);
                assert!(colony.node_dirs().is_empty());
                drop(held);
            }
            let elsewhere = (network == "published").then(|| hold("metrics", 13_002));
            let _ = add(engine, &colony, "5");
            let all = ["0001", "0002", "0003", "0004", "0005"];
            assert_nodes_and_containers(engine, &colony, &all, &["a1"]);
            drop(elsewhere);

            // The first container is full. Its nodes do not need the next one.
            let first = engine.call(["inspect", "--format", "{{.Id}} {{.State.StartedAt}}", "a1"]);
            let held = hold("node", 55_008);
            let printed = refusals(engine, &colony, &[]).join("\n");
            assert!(
                printed.contains("container a2 would need node ports 55006-55010, of which 55008"),
                "{printed}"
            );
            assert_nodes_and_containers(engine, &colony, &all, &["a1"]);
            let now = engine.call(["inspect", "--format", "{{.Id}} {{.State.StartedAt}}", "a1"]);
            assert_eq!(now, first);
            drop(held);
            let _ = add(engine, &colony, "1");
            assert_nodes_and_containers(
                engine,
                &colony,
                &[&all[..], &["0006"]].concat(),
                &["a1", "a2"],
            );
            // A container with nodes is created again although it is none of the first ones.
            engine.call(["rm", "--force", "a2"]);
            let _ = engine.wnm(&colony, &["--node-cap=6"]).run().succeeded();
            assert_nodes_and_containers(
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
fn a_port_lost_later_blocks_its_number_but_not_the_container() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = empty_colony(engine, 6, &[]);
        let _ = add(engine, &colony, "2");
        let id = || engine.call(["inspect", "--format", "{{.Id}} {{.State.StartedAt}}", "a1"]);
        let before = id();
        let held = [hold("node", 55_003), hold("metrics", 13_004)];
        let printed = add(engine, &colony, "1");
        for blocked in [
            "number 3 cannot be given: node port 55003 of container a1 (55001-55006) is taken",
            "number 4 cannot be given: metrics port 13004 of container a1 (13001-13006) is taken",
        ] {
            assert!(printed.contains(blocked), "'{blocked}' in {printed}");
        }
        let three = ["0001", "0002", "0005"];
        assert_nodes_and_containers(engine, &colony, &three, &["a1"]);
        assert_eq!(id(), before);
        // It is even created again: its nodes do not have that port.
        engine.call(["rm", "--force", "a1"]);
        let _ = engine.wnm(&colony, &["--node-cap=3"]).run().succeeded();
        assert_nodes_and_containers(engine, &colony, &three, &["a1"]);
        assert_ne!(id(), before);
        drop(held);
        let raised = ["--node-cap=6", "--force-action=add", "--count=2"];
        let _ = engine.wnm(&colony, &raised).run().succeeded();
        let five = ["0001", "0002", "0003", "0004", "0005"];
        assert_nodes_and_containers(engine, &colony, &five, &["a1"]);
        end(engine, &colony);
    });
}

#[test]
fn a_container_with_impossible_ports_is_refused_in_advance() {
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
    let printed = init(&["--port-start=65", "--min-container-count=7"]);
    assert!(printed.contains(past), "{printed}");
    let printed = init(&["--metrics-port-start=54", "--min-container-count=9"]);
    assert!(printed.contains(overlap), "{printed}");
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
            let printed = refusals(engine, &colony, &[&more]);
            assert!(
                printed.len() == 1 && printed[0].contains(expected),
                "{printed:?}"
            );
            assert_nodes_and_containers(engine, &colony, &[], &[]);
            // The Python wnm stores any cap.
            let sql = format!("UPDATE machine SET node_cap = {}", cap + 1);
            colony.database().execute(&sql);
            let count = format!("--count={}", cap + 1);
            let printed = refusals(engine, &colony, &[&count]);
            assert!(
                printed.len() == 1 && printed[0].contains(expected),
                "{printed:?}"
            );
            assert!(colony.node_dirs().is_empty());
            // What is refused makes nothing, not even the containers that should always run.
            assert_nodes_and_containers(engine, &colony, &[], &[]);
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
