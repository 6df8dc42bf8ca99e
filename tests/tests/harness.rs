//! Tests of the test library itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use wnm_tests::call::{Background, Call};
use wnm_tests::colony::Colony;
use wnm_tests::wait::{LONG, until};
use wnm_tests::{binaries, nodes, processes};

/// Starts node 1 of a colony without wnm.
fn start_node(colony: &Colony, program: &Path) -> Background {
    Call::new(program, &colony.home(), &colony.temporary())
        .env("ANT_PEERS", nodes::NOWHERE)
        .args(["--no-upnp", "--rewards-address", nodes::WALLET])
        .args(["--port", &colony.ports.node_port(1).to_string()])
        .args([
            "--metrics-server-port",
            &colony.ports.metrics_port(1).to_string(),
        ])
        .arg("--root-dir")
        .arg(colony.storage().join("antnode0001"))
        .arg("evm-arbitrum-one")
        .spawn()
}

fn is_up(colony: &Colony, version: &str) {
    let port = colony.ports.metrics_port(1);
    until(LONG, format!("node {version}"), || {
        let mark = format!("antnode_version=\"{version}\"");
        nodes::page(port, "/metadata").is_ok_and(|page| page.contains(&mark))
    });
}

#[test]
fn dropping_a_colony_ends_its_processes_and_deletes_its_files() {
    let colony = Colony::new();
    let dir = colony.dir().to_owned();
    let program = colony.program("0.4.16");
    let _node = start_node(&colony, &program);
    is_up(&colony, "0.4.16");
    assert_eq!(colony.processes().len(), 1);
    assert_eq!(colony.node_dirs(), ["antnode0001"]);
    let left = catch_unwind(AssertUnwindSafe(|| colony.assert_nothing_left()));
    assert!(left.is_err(), "a running node was overlooked");
    drop(colony);
    assert_eq!(processes::below(&dir), []);
    assert!(!dir.exists());
}

#[test]
fn a_node_whose_program_was_replaced_is_still_found() {
    let colony = Colony::new();
    let program = colony.program("0.4.16");
    let node = start_node(&colony, &program);
    is_up(&colony, "0.4.16");
    std::fs::remove_file(&program).unwrap();
    let found = colony.processes();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].pid, found[0].exe.as_path()),
        (node.pid(), program.as_path())
    );
    let ended = node.end_with(Signal::SIGTERM);
    assert_eq!(ended.code, None);
    assert_eq!(colony.processes(), []);
}

#[test]
fn a_real_node_starts_where_a_simulated_one_does() {
    for version in ["0.4.16", "0.4.17"] {
        let Some(program) = nodes::real_antnode(version) else {
            continue;
        };
        let colony = Colony::new();
        let _node = start_node(&colony, &program);
        is_up(&colony, version);
        assert_eq!(colony.processes().len(), 1, "found by its root directory");
    }
}

/// A survey sends both requests together, and would take twice as long if it had to repeat one.
#[test]
fn nodes_answer_two_requests_sent_together() {
    let programs = tempfile::tempdir().unwrap();
    let simulated = nodes::simulated(programs.path(), "0.4.16");
    for (program, version) in [
        (Some(simulated), "0.4.16"),
        (nodes::real_antnode("0.4.16"), "0.4.16"),
        (nodes::real_antnode("0.4.17"), "0.4.17"),
    ] {
        let Some(program) = program else { continue };
        let colony = Colony::new();
        let _node = start_node(&colony, &program);
        is_up(&colony, version);
        let mut stream =
            TcpStream::connect((Ipv4Addr::LOCALHOST, colony.ports.metrics_port(1))).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let questions = b"GET /metadata HTTP/1.1\r\nhost: x\r\n\r\n\
              GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(questions).unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).unwrap();
        assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 2);
        assert!(answers.contains("\nant_node_antnode_version_info{"));
        assert!(answers.contains("\nant_node_uptime "));
    }
}

/// The metric families of a page with their types.
fn families(page: &str) -> BTreeMap<String, String> {
    page.lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
        .collect()
}

#[test]
fn simulated_pages_have_nothing_that_real_ones_lack() {
    let Some(program) = nodes::real_antnode("0.4.17") else {
        return;
    };
    let pages = |program: &Path| {
        let colony = Colony::new();
        let _node = start_node(&colony, program);
        is_up(&colony, "0.4.17");
        ["/metadata", "/metrics"].map(|path| {
            let page = nodes::page(colony.ports.metrics_port(1), path).unwrap();
            families(&page)
        })
    };
    let [real_metadata, real_metrics] = pages(&program);
    let programs = tempfile::tempdir().unwrap();
    let [metadata, metrics] = pages(&nodes::simulated(programs.path(), "0.4.17"));
    assert_eq!(metadata, real_metadata);
    for (name, kind) in &metrics {
        assert_eq!(Some(kind), real_metrics.get(name), "{name}");
    }
}

#[test]
fn a_hanging_call_fails_at_its_deadline() {
    let colony = Colony::new();
    let node = |deadline| {
        Call::new(
            &colony.program("0.4.17"),
            &colony.home(),
            &colony.temporary(),
        )
        .args(["--rewards-address", nodes::WALLET, "--root-dir"])
        .arg(colony.storage().join("antnode0001"))
        .within(deadline)
        .run()
    };
    let hung = catch_unwind(AssertUnwindSafe(|| node(Duration::from_millis(50)))).unwrap_err();
    let reason = hung.downcast_ref::<String>().unwrap();
    assert!(reason.contains("did not end within"), "{reason}");
}

#[test]
fn the_programs_are_built_and_see_a_clean_environment() {
    let colony = Colony::new();
    assert!(binaries::wnm().is_file());
    let seen = Call::new(
        Path::new("/usr/bin/env"),
        &colony.home(),
        &colony.temporary(),
    )
    .run()
    .succeeded();
    let names: Vec<&str> = seen
        .stdout
        .lines()
        .filter_map(|line| line.split_once('=').map(|(name, _)| name))
        .filter(|name| !["PATH", "LANG", "HOME", "TMPDIR"].contains(name))
        .collect();
    assert_eq!(names, [] as [&str; 0]);
}
