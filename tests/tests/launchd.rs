//! Nodes as jobs of launchd: a fake one that really runs them, or the machine's own on macOS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use wnm_tests::launchd::LaunchdFixture;
use wnm_tests::nodes;
use wnm_tests::wait::{LONG, until, until_some};

fn label(node: usize) -> String {
    format!("com.autonomi.antnode-{node}")
}

#[test]
fn a_colony_goes_through_its_whole_life() {
    let Some(fixture) = LaunchdFixture::up() else {
        return;
    };
    let old = fixture.colony.program("0.4.16");
    let made = fixture.init(&old, &["--node-cap=6"]);
    made.assert_stdout_contains("launchd+sudo");
    fixture.grow(6);
    let labels: Vec<String> = (1..=6).map(label).collect();
    assert_eq!(fixture.loaded(), labels);
    assert_eq!(fixture.colony.processes().len(), 6);
    let services: Vec<String> = fixture
        .nodes()
        .into_iter()
        .map(|node| node.service)
        .collect();
    assert_eq!(services, labels);
    // At the cap nothing happens.
    let idle = fixture.wnm(["--json"]).run().succeeded();
    assert_eq!(idle.status(), "idle", "{}", idle.stdout);

    // launchd restarts a killed node without wnm.
    let first = fixture.pid(&label(1)).unwrap();
    kill(Pid::from_raw(first), Signal::SIGKILL).unwrap();
    let second = until_some(LONG, "the node to come back", || {
        fixture.pid(&label(1)).filter(|pid| *pid != first)
    });
    until(LONG, "it to answer", || {
        let _ = fixture.wnm(["--force-action=survey"]).run().succeeded();
        fixture.statuses() == ["RUNNING"; 6]
    });

    let _ = fixture
        .wnm(["--force-action=stop", "--service-name=antnode0002"])
        .run()
        .succeeded();
    assert_eq!(fixture.pid(&label(2)), None);
    assert!(!fixture.loaded().contains(&label(2)));
    assert_eq!(fixture.statuses()[1], "STOPPED");

    // An upgrade restarts only what runs.
    let new = fixture.colony.program("0.4.17");
    let _ = fixture
        .wnm(["--force-action=upgrade", "--service-name=0001,0002"])
        .args([Path::new("--antnode-path"), &new])
        .run()
        .succeeded();
    let third = fixture.pid(&label(1)).unwrap();
    assert_ne!(third, second);
    assert_eq!(fixture.pid(&label(2)), None);
    let page = until_some(LONG, "an answer", || {
        nodes::page(fixture.colony.ports.metrics_port(1), "/metadata").ok()
    });
    assert!(page.contains("antnode_version=\"0.4.17\""), "{page}");
    assert_eq!(fixture.nodes()[0].version.as_deref(), Some("0.4.17"));
    assert_eq!(fixture.nodes()[2].version.as_deref(), Some("0.4.16"));

    let _ = fixture
        .wnm(["--force-action=remove", "--service-name=0003,0002"])
        .run()
        .succeeded();
    let left = [1, 4, 5, 6].map(|node| format!("{}.plist", label(node)));
    assert_eq!(fixture.job_files(), left);
    assert_eq!(fixture.colony.node_dirs().len(), 4);
    // A new node gets the number and the label of a removed one.
    let _ = fixture.wnm(["--force-action=add"]).run().succeeded();
    assert!(fixture.loaded().contains(&label(2)));

    let gone = fixture
        .wnm(["--force-action=teardown", "--confirm", "--json"])
        .run()
        .succeeded();
    assert_eq!(gone.status(), "cluster-teardown");
    fixture.assert_nothing_left();
}

#[test]
fn cycles_grow_heal_upgrade_and_shrink() {
    let Some(fixture) = LaunchdFixture::up() else {
        return;
    };
    fixture.init(&fixture.colony.program("0.4.16"), &["--node-cap=4"]);
    let cycles_until = |words: &[&str], what: &str, done: &dyn Fn() -> bool| {
        until(LONG, what, || {
            let _ = fixture.wnm(words).run().succeeded();
            done()
        });
    };
    cycles_until(&[], "four nodes", &|| fixture.statuses() == ["RUNNING"; 4]);

    // Somebody unloads one. The next cycles see it and load it again.
    let list = fixture.launchctl(["list"]).succeeded();
    list.assert_stdout_contains(&label(3));
    let uid = nix::unistd::geteuid();
    let target = format!("gui/{uid}/{}", label(3));
    let _ = fixture.launchctl(["bootout", &target]).succeeded();
    until(LONG, "it to be gone", || fixture.pid(&label(3)).is_none());
    cycles_until(&[], "the third node", &|| {
        fixture.pid(&label(3)).is_some() && fixture.statuses() == ["RUNNING"; 4]
    });

    let newer = fixture.colony.program("0.4.17");
    let path = format!("--antnode-path={}", newer.display());
    let upgrade = ["--enable-upgrade", "--max-concurrent-upgrades=3", &path];
    cycles_until(&upgrade, "all to be new", &|| {
        let new = |node: &wnm_tests::database::NodeRow| node.version.as_deref() == Some("0.4.17");
        fixture.nodes().iter().all(new)
    });
    assert_eq!(fixture.colony.processes().len(), 4);

    cycles_until(
        &["--node-cap=2", "--max-concurrent-removals=3"],
        "two to go",
        &|| fixture.nodes().len() == 2,
    );
    assert_eq!(fixture.loaded(), [label(1), label(2)]);
    let _ = fixture
        .wnm(["--force-action=teardown", "--confirm"])
        .run()
        .succeeded();
    fixture.assert_nothing_left();
}

/// A program that prints its version and exits with 3 when it should run.
fn broken(fixture: &LaunchdFixture) -> PathBuf {
    let path = fixture.colony.dir().join("broken");
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && echo 'Autonomi Node v0.4.18' && exit 0\necho no such key >&2\nexit 3\n";
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_crashing_node_is_reported_with_the_reason_of_launchd() {
    let Some(fixture) = LaunchdFixture::up() else {
        return;
    };
    fixture.init(&fixture.colony.program("0.4.16"), &["--node-cap=2"]);
    fixture.grow(1);
    let broken = broken(&fixture);
    let path = [Path::new("--antnode-path"), broken.as_path()];
    let added = fixture
        .wnm(["--force-action=add"])
        .args(path)
        .run()
        .refused();
    let output = "last exit code 3; no such key";
    added.assert_stdout_contains(output);
    assert_eq!(fixture.loaded(), [label(1)]);
    assert_eq!(fixture.colony.node_dirs(), ["antnode0001"]);
    assert_eq!(fixture.job_files(), [format!("{}.plist", label(1))]);

    let upgraded = fixture
        .wnm(["--force-action=upgrade", "--service-name=0001"])
        .args(path)
        .run()
        .refused();
    let back = "previous program was put back and runs";
    upgraded.assert_stdout_contains(back);
    fixture.pid(&label(1)).unwrap();
}

#[test]
fn arguments_reach_nodes_unchanged() {
    let Some(fixture) = LaunchdFixture::up() else {
        return;
    };
    let odd = r#"a b%h $HOME ${X} & <string>"q"</string> ; # é"#;
    let quoted = format!("'{odd}'");
    fixture.init(
        &fixture.colony.program("0.4.16"),
        &[
            "--node-cap=1",
            &format!("--start-args=--log-format {quoted}"),
        ],
    );
    fixture.grow(1);
    let processes = fixture.colony.processes();
    let args = &processes[0].args;
    // ps separates arguments by blanks only.
    if cfg!(target_os = "linux") {
        let at = args.iter().position(|word| word == "--log-format").unwrap();
        assert_eq!(args[at + 1], odd);
    } else {
        let words: Vec<_> = args.iter().map(|word| word.to_string_lossy()).collect();
        assert!(words.join(" ").contains(odd), "{args:?}");
    }
}

/// The jobs of the Python wnm and of antctl, and a damaged one.
#[test]
fn foreign_jobs_are_adopted_and_managed() {
    let Some(fixture) = LaunchdFixture::up() else {
        return;
    };
    let program = fixture.colony.program("0.4.16");
    std::fs::create_dir_all(fixture.job_dir()).unwrap();
    let ports = &fixture.colony.ports;
    let write = |label: &str, directory: &str, id: u16, more: &str| {
        let home = fixture.colony.dir().join("others").join(directory);
        std::fs::create_dir_all(&home).unwrap();
        std::fs::copy(&program, home.join("antnode")).unwrap();
        let home = home.display();
        let words = format!(
            "{home}/antnode|--no-upnp|--root-dir|{home}|--port|{}|--enable-metrics-server|\
             --metrics-server-port|{}|--log-output-dest|{home}/logs|--rewards-address|{}|evm-arbitrum-one",
            ports.node_port(id),
            ports.metrics_port(id),
            nodes::WALLET,
        );
        let words = words.replace('|', "</string><string>");
        let nowhere = nodes::NOWHERE;
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict>\
             <key>Label</key><string>{label}</string><key>ProgramArguments</key><array><string>\
             {words}</string></array><key>EnvironmentVariables</key><dict><key>ANT_PEERS</key>\
             <string>{nowhere}</string></dict><key>RunAtLoad</key><true/><key>KeepAlive</key><true/>\
             {more}</dict></plist>\n"
        );
        let file = fixture.job_dir().join(format!("{label}.plist"));
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        file
    };
    let python = write(&label(1), "antnode0001", 1, "");
    write("antnode2", "antnode2", 2, "<key>Disabled</key><true/>");
    std::fs::write(fixture.job_dir().join("antnode9.plist"), "<plist><dict>").unwrap();
    let uid = nix::unistd::geteuid();
    let domain = format!("gui/{uid}");
    let python = python.to_str().unwrap();
    let _ = fixture
        .launchctl(["bootstrap", &domain, python])
        .succeeded();
    let before = until_some(LONG, "the node", || fixture.pid(&label(1)));

    let made = fixture.init(&program, &["--import", "--node-cap=2"]);
    let output = format!("{}{}", made.stdout, made.stderr);
    assert!(
        output.contains("antnode9.plist") && output.contains("damaged"),
        "{output}"
    );
    let services: Vec<String> = fixture
        .nodes()
        .into_iter()
        .map(|node| node.service)
        .collect();
    assert_eq!(services, [label(1), "antnode2".to_owned()]);
    until(LONG, "both to be as they are", || {
        let _ = fixture.wnm(["--force-action=survey"]).run().succeeded();
        fixture.statuses() == ["RUNNING", "STOPPED"]
    });
    assert_eq!(fixture.pid(&label(1)), Some(before), "it was touched");

    let mine = "--service-name=0002";
    let _ = fixture
        .wnm(["--force-action=start", mine])
        .run()
        .succeeded();
    fixture.pid("antnode2").unwrap();
    let _ = fixture.wnm(["--force-action=stop", mine]).run().succeeded();
    assert_eq!(fixture.loaded(), [label(1)]);
    // Its directory is not below wnm's storage, so only the operator deletes its data.
    let removed = fixture.wnm(["--force-action=remove", mine]).run().refused();
    removed.assert_stdout_contains("delete by hand");
    assert!(fixture.colony.dir().join("others/antnode2").exists());
}

#[cfg(not(target_os = "macos"))]
#[test]
fn running_nodes_start_at_boot_and_stopped_ones_do_not() {
    let Some(mut fixture) = LaunchdFixture::up() else {
        return;
    };
    fixture.init(&fixture.colony.program("0.4.16"), &["--node-cap=3"]);
    fixture.grow(3);
    let _ = fixture
        .wnm(["--force-action=stop", "--service-name=0002"])
        .run()
        .succeeded();
    let domain = format!("gui/{}", nix::unistd::geteuid());
    let jobs = fixture.job_dir();
    fixture
        .launchd
        .behave(|launchd| launchd.takes_at_boot(&domain, &jobs));
    fixture.launchd.reboot();
    until(LONG, "the others to come back", || {
        let _ = fixture.wnm(["--force-action=survey"]).run().succeeded();
        fixture.statuses() == ["RUNNING", "STOPPED", "RUNNING"]
    });
}

#[cfg(not(target_os = "macos"))]
#[test]
fn a_silent_launchd_makes_nodes_unknown() {
    let Some(mut fixture) = LaunchdFixture::up() else {
        return;
    };
    fixture.init(&fixture.colony.program("0.4.16"), &["--node-cap=2"]);
    fixture.grow(2);
    let processes = fixture.colony.processes();
    // Neither launchd nor the nodes' own pages answer.
    fixture
        .launchd
        .behave(|launchd| launchd.fail("list", 0, "", 999));
    for process in &processes {
        process.signal(Signal::SIGSTOP);
    }
    let cycle = fixture.wnm(["--json"]).run();
    for process in &processes {
        process.signal(Signal::SIGCONT);
    }
    assert_eq!(fixture.statuses(), ["UNKNOWN"; 2], "{cycle:?}");
    let asked = fixture.launchd.asked();
    let acted = |asked: &&String| !asked.starts_with("list") && !asked.starts_with("print");
    let boots = asked.iter().filter(acted).count();
    fixture
        .launchd
        .behave(wnm_tests::launchd::Behaviour::act_normally);
    until(LONG, "both to be seen again", || {
        let _ = fixture.wnm(["--json"]).run().succeeded();
        fixture.statuses() == ["RUNNING"; 2]
    });
    let asked = fixture.launchd.asked();
    assert_eq!(
        asked.iter().filter(acted).count(),
        boots,
        "something was done"
    );
    assert_eq!(fixture.colony.processes(), processes);
}

#[cfg(not(target_os = "macos"))]
#[test]
fn a_cycle_over_running_nodes_asks_launchd_once() {
    let Some(fixture) = LaunchdFixture::up() else {
        return;
    };
    fixture.init(&fixture.colony.program("0.4.16"), &["--node-cap=5"]);
    fixture.grow(5);
    let before = fixture.launchd.asked().len();
    let _ = fixture.wnm(["--json"]).run().succeeded();
    assert_eq!(fixture.launchd.asked()[before..], ["list"]);
}

#[cfg(not(target_os = "macos"))]
#[test]
fn a_missing_launchctl_is_reported() {
    let colony = wnm_tests::colony::Colony::new();
    let program = colony.program("0.4.16");
    let refused = colony
        .wnm(["--init", "--process-manager=launchd+user"])
        .args(["--rewards-address", nodes::WALLET])
        .args([Path::new("--antnode-path"), &program])
        .run()
        .refused();
    let output = "launchd+user needs launchctl, which macOS has";
    refused.assert_stderr_contains(output);
    assert!(!colony.database_path().exists());
}
