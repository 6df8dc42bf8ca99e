//! The simulated node as a process: what it leaves, serves, refuses and dies of.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod process;

use std::os::unix::process::ExitStatusExt;

use std::fs;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;

use nix::sys::signal::Signal;
use process::{PROGRAM, Running, arguments, command, fetch, run};

#[test]
fn it_serves_its_pages_and_leaves_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let node = Running::start(Path::new(PROGRAM), dir.path());
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
fn the_peer_id_stays_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let first = Running::start(Path::new(PROGRAM), dir.path());
    let before = first.peer_id.clone();
    assert_eq!(first.end_with(Signal::SIGTERM).signal(), Some(15));
    let second = Running::start(Path::new(PROGRAM), dir.path());
    assert_eq!(second.peer_id, before);
    assert_ne!(
        Running::start(Path::new(PROGRAM), other.path()).peer_id,
        before
    );
}

#[test]
fn each_signal_ends_it_as_it_ends_a_real_one() {
    for (signal, code, by) in [
        (Signal::SIGTERM, None, Some(15)),
        (Signal::SIGHUP, None, Some(1)),
        (Signal::SIGQUIT, None, Some(3)),
        (Signal::SIGKILL, None, Some(9)),
        (Signal::SIGINT, Some(1), None),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let node = Running::start(Path::new(PROGRAM), dir.path());
        let end = node.end_with(signal);
        assert_eq!((end.code(), end.signal()), (code, by), "{signal}");
        let note = dir.path().join("logs/critical_failure.log");
        assert_eq!(note.exists(), signal == Signal::SIGINT, "{signal}");
    }
}

#[test]
fn a_stamped_copy_says_its_version() {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("antnode");
    process::stamped(&copy, "0.4.16");
    let told = run(command(&copy).arg("--version"));
    assert_eq!(told.code, Some(0));
    assert_eq!(told.stdout.lines().next(), Some("Autonomi Node v0.4.16"));
    assert!(told.stdout.lines().count() > 1, "{}", told.stdout);
    let plain = run(command(Path::new(PROGRAM)).arg("--version"));
    assert!(plain.stdout.starts_with("Autonomi Node v0.4.17\n"));
    let node = Running::start(&copy, &dir.path().join("root"));
    let (_, metadata) = fetch(node.metrics_port, "/metadata");
    assert!(
        metadata.contains("antnode_version=\"0.4.16\""),
        "{metadata}"
    );
}

#[test]
fn a_udp_port_in_use_ends_it_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let taken = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let end = run(command(Path::new(PROGRAM)).args(arguments(dir.path(), port, 0)));
    assert_eq!(end.code, Some(101));
    assert!(end.stdout.contains("Metrics server on"), "{}", end.stdout);
    assert!(end.stderr.contains(&port.to_string()), "{}", end.stderr);
}

#[test]
fn a_metrics_port_in_use_only_costs_the_metrics() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let node =
        Running::start_with(command(Path::new(PROGRAM)).args(arguments(dir.path(), 0, port)));
    assert_eq!(node.metrics_port, 0, "no server was announced");
    assert_eq!(node.end_with(Signal::SIGTERM).signal(), Some(15));
}

#[test]
fn bad_arguments_have_the_exit_codes_of_the_real_one() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let root = root.to_str().unwrap();
    for (code, words) in [
        (2, vec!["--bogus"]),
        (2, vec!["evm-arbitrum-one", "--port", "1"]),
        (101, vec!["--root-dir", root]),
        (1, vec!["--root-dir", root, "--rewards-address", "0x123"]),
    ] {
        let end = run(command(Path::new(PROGRAM)).args(&words));
        assert_eq!(end.code, Some(code), "{words:?}");
        assert!(!end.stderr.is_empty(), "{words:?}");
    }
    assert!(!Path::new(root).exists(), "a refused start leaves nothing");
}

#[test]
fn switches_in_the_root_directory_make_it_misbehave() {
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
        "it was up before"
    );
}

#[test]
fn a_silent_node_takes_connections_and_answers_again_later() {
    let dir = tempfile::tempdir().unwrap();
    let node = Running::start(Path::new(PROGRAM), dir.path());
    fs::write(dir.path().join("sim-silent"), "").unwrap();
    let mut unanswered = process::connect(node.metrics_port);
    let error = process::exchange(&mut unanswered, "/metadata", process::SHORT).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "{error}");
    fs::remove_file(dir.path().join("sim-silent")).unwrap();
    let (_, metadata) = fetch(node.metrics_port, "/metadata");
    assert!(metadata.contains(&node.peer_id));
}

#[test]
fn a_node_gives_its_metrics_port_up_and_lives_on() {
    let dir = tempfile::tempdir().unwrap();
    let node = Running::start(Path::new(PROGRAM), dir.path());
    fs::write(dir.path().join("sim-silent"), "closed").unwrap();
    let mut last = process::connect(node.metrics_port);
    process::exchange(&mut last, "/metadata", process::LONG).unwrap_err();
    let listener = TcpListener::bind(("127.0.0.1", node.metrics_port));
    assert!(listener.is_ok(), "{listener:?}");
    assert_eq!(node.end_with(Signal::SIGTERM).signal(), Some(15));
}

#[test]
fn a_self_upgrade_is_a_new_process_with_the_same_identity_and_ports() {
    let dir = tempfile::tempdir().unwrap();
    let (program, root) = (dir.path().join("antnode"), dir.path().join("root"));
    process::stamped(&program, "0.4.16");
    let udp = process::free_udp_port();
    let tcp = process::free_tcp_port();
    let mut node = Running::start_with(command(&program).args(arguments(&root, udp, tcp)));
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
    process::kill(&pid);
}
