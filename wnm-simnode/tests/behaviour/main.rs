//! Tests of the simulated node as a process: its files, pages, errors and signals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use std::os::unix::process::ExitStatusExt;

use std::fs;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;

use fixture::{PROGRAM, RunningNode, arguments, command, fetch, run};
use nix::sys::signal::Signal;

#[test]
fn serves_pages_and_writes_files() {
    let dir = tempfile::tempdir().unwrap();
    let node = RunningNode::start(Path::new(PROGRAM), dir.path());
    let (head, metadata) = fetch(node.metrics_port, "/metadata");
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(head.contains("content-type: application/openmetrics-text"));
    assert!(head.contains(&format!("content-length: {}", metadata.len())));
    assert!(
        metadata.contains("antnode_version=\"0.4.17\""),
        "{metadata}"
    );
    assert!(metadata.contains(&format!("peer_id=\"{}\"", node.peer_id)));
    let (_, metrics) = fetch(node.metrics_port, "/metrics");
    assert!(metrics.contains("\nant_node_uptime 0\n"), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"));
    assert!(fetch(node.metrics_port, "/").0.starts_with("HTTP/1.1 404"));
    assert_eq!(fs::read(dir.path().join("secret-key")).unwrap().len(), 32);
    assert!(dir.path().join("record_store").is_dir());
    let log = fs::read_to_string(dir.path().join("logs/antnode.log")).unwrap();
    assert!(log.contains(&node.peer_id), "{log}");
}

#[test]
fn peer_id_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let first = RunningNode::start(Path::new(PROGRAM), dir.path());
    let before = first.peer_id.clone();
    assert_eq!(first.exit_on(Signal::SIGTERM).signal(), Some(15));
    let second = RunningNode::start(Path::new(PROGRAM), dir.path());
    assert_eq!(second.peer_id, before);
    assert_ne!(
        RunningNode::start(Path::new(PROGRAM), other.path()).peer_id,
        before
    );
}

#[test]
fn signals_end_it_like_the_real_node() {
    for (signal, code, signal_number) in [
        (Signal::SIGTERM, None, Some(15)),
        (Signal::SIGHUP, None, Some(1)),
        (Signal::SIGQUIT, None, Some(3)),
        (Signal::SIGKILL, None, Some(9)),
        (Signal::SIGINT, Some(1), None),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let node = RunningNode::start(Path::new(PROGRAM), dir.path());
        let end = node.exit_on(signal);
        assert_eq!(
            (end.code(), end.signal()),
            (code, signal_number),
            "{signal}"
        );
        let note = dir.path().join("logs/critical_failure.log");
        assert_eq!(note.exists(), signal == Signal::SIGINT, "{signal}");
    }
}

#[test]
fn stamped_copy_reports_its_version() {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("antnode");
    fixture::stamp_program(&copy, "0.4.16");
    let stamped = run(command(&copy).arg("--version"));
    assert_eq!(stamped.code, Some(0));
    assert_eq!(stamped.stdout.lines().next(), Some("Autonomi Node v0.4.16"));
    assert!(stamped.stdout.lines().count() > 1, "{}", stamped.stdout);
    let plain = run(command(Path::new(PROGRAM)).arg("--version"));
    assert!(plain.stdout.starts_with("Autonomi Node v0.4.17\n"));
    let node = RunningNode::start(&copy, &dir.path().join("root"));
    let (_, metadata) = fetch(node.metrics_port, "/metadata");
    assert!(
        metadata.contains("antnode_version=\"0.4.16\""),
        "{metadata}"
    );
}

#[test]
fn udp_port_in_use_ends_it_with_a_message() {
    let dir = tempfile::tempdir().unwrap();
    let taken = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let end = run(command(Path::new(PROGRAM)).args(arguments(dir.path(), port, 0)));
    assert_eq!(end.code, Some(101));
    assert!(end.stdout.contains("Metrics server on"), "{}", end.stdout);
    assert!(end.stderr.contains(&port.to_string()), "{}", end.stderr);
}

#[test]
fn metrics_port_in_use_only_disables_metrics() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let node =
        RunningNode::start_with(command(Path::new(PROGRAM)).args(arguments(dir.path(), 0, port)));
    assert_eq!(node.metrics_port, 0, "the node must announce no server");
    assert_eq!(node.exit_on(Signal::SIGTERM).signal(), Some(15));
}

#[test]
fn invalid_arguments_have_the_real_exit_codes() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let root = root.to_str().unwrap();
    for (code, args) in [
        (2, vec!["--bogus"]),
        (2, vec!["evm-arbitrum-one", "--port", "1"]),
        (101, vec!["--root-dir", root]),
        (1, vec!["--root-dir", root, "--rewards-address", "0x123"]),
    ] {
        let end = run(command(Path::new(PROGRAM)).args(&args));
        assert_eq!(end.code, Some(code), "{args:?}");
        assert!(!end.stderr.is_empty(), "{args:?}");
    }
    assert!(
        !Path::new(root).exists(),
        "a failed start must leave no files"
    );
}

#[test]
fn crash_and_exit_switches_end_it() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("sim-crash"), "").unwrap();
    let crash = run(command(Path::new(PROGRAM)).args(arguments(dir.path(), 0, 0)));
    assert_eq!(crash.code, Some(1));
    fs::remove_file(dir.path().join("sim-crash")).unwrap();
    fs::write(dir.path().join("sim-exit-after-ms"), "1\n").unwrap();
    let short = run(command(Path::new(PROGRAM)).args(arguments(dir.path(), 0, 0)));
    assert_eq!(short.code, Some(1));
    assert!(
        short.stdout.contains("Metrics server on"),
        "the node must be up first"
    );
}

#[test]
fn silent_node_accepts_connections_and_later_answers_again() {
    let dir = tempfile::tempdir().unwrap();
    let node = RunningNode::start(Path::new(PROGRAM), dir.path());
    fs::write(dir.path().join("sim-silent"), "").unwrap();
    let mut unanswered = fixture::connect(node.metrics_port);
    let error =
        fixture::exchange(&mut unanswered, "/metadata", fixture::NO_ANSWER_WAIT).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "{error}");
    fs::remove_file(dir.path().join("sim-silent")).unwrap();
    let (_, metadata) = fetch(node.metrics_port, "/metadata");
    assert!(metadata.contains(&node.peer_id));
}

#[test]
fn node_closes_its_metrics_port_and_keeps_running() {
    let dir = tempfile::tempdir().unwrap();
    let node = RunningNode::start(Path::new(PROGRAM), dir.path());
    fs::write(dir.path().join("sim-silent"), "closed").unwrap();
    let mut last = fixture::connect(node.metrics_port);
    fixture::exchange(&mut last, "/metadata", fixture::DEADLINE).unwrap_err();
    let listener = TcpListener::bind(("127.0.0.1", node.metrics_port));
    assert!(listener.is_ok(), "{listener:?}");
    assert_eq!(node.exit_on(Signal::SIGTERM).signal(), Some(15));
}

#[test]
fn self_upgrade_keeps_identity_and_ports_in_a_new_process() {
    let dir = tempfile::tempdir().unwrap();
    let (program, root) = (dir.path().join("antnode"), dir.path().join("root"));
    fixture::stamp_program(&program, "0.4.16");
    let udp = fixture::free_udp_port();
    let tcp = fixture::free_tcp_port();
    let mut node = RunningNode::start_with(command(&program).args(arguments(&root, udp, tcp)));
    fs::write(root.join("sim-upgrade-to"), "0.4.17").unwrap();
    node.signal(Signal::SIGUSR1);
    let successor = node.read_until_started();
    assert_eq!(successor.peer_id, node.peer_id);
    assert_eq!(successor.metrics_port, tcp);
    let pid = fs::read_to_string(root.join("antnode.pid")).unwrap();
    assert_ne!(pid, node.pid().to_string());
    assert_eq!(node.wait().code(), Some(0));
    let (_, metadata) = fetch(tcp, "/metadata");
    assert!(
        metadata.contains("antnode_version=\"0.4.17\""),
        "{metadata}"
    );
    fixture::kill(&pid);
}
