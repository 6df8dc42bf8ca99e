//! The real antctl as root, with real node programs, under a real systemd.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use wnm_tests::colony::EAGER;
use wnm_tests::nodes;
use wnm_tests::systemd::{As, Machine};
use wnm_tests::wait::{LONG, until};

/// Copies of the real programs that the machine sees, too.
struct Programs {
    antctl: PathBuf,
    older: PathBuf,
    newer: PathBuf,
}

impl Programs {
    fn put_into(machine: &Machine) -> Option<Self> {
        let place = |from: PathBuf, to: &str| {
            let to = machine.programs.path().join(to);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(from, &to).unwrap();
            to
        };
        Some(Self {
            antctl: place(nodes::real_antctl()?, "antctl"),
            older: place(nodes::real_antnode("0.4.16")?, "0.4.16/antnode"),
            newer: place(nodes::real_antnode("0.4.17")?, "0.4.17/antnode"),
        })
    }
}

fn a_colony_goes_through_its_whole_life(who: As) {
    let Some(machine) = Machine::up(who) else {
        return;
    };
    let Some(programs) = Programs::put_into(&machine) else {
        return;
    };
    if who == As::Ann {
        // She must be able to read the storage, since wnm itself runs with her rights.
        let rights = machine.system.path(Path::new("/etc/sudoers.d/ann"));
        std::fs::write(&rights, "ann ALL=(ALL) NOPASSWD: ALL\n").unwrap();
        std::fs::set_permissions(&rights, Permissions::from_mode(0o440)).unwrap();
    }
    let storage = machine.programs.path().join("state/nodes");
    let peer = format!("--start-args=--peer {}", nodes::NOWHERE);
    let _ = machine
        .wnm([
            "--init",
            "--no-upnp",
            "--process-manager=antctl+sudo",
            &peer,
        ])
        .args([
            "--rewards-address",
            nodes::WALLET,
            "--node-cap=2",
            "--node-storage",
        ])
        .arg(&storage)
        .args([Path::new("--antnode-path"), &programs.older])
        .args([Path::new("--antctl-path"), &programs.antctl])
        .args(EAGER)
        .run()
        .succeeded();
    machine.grow(2);
    let systemctl = |args: &[&str]| machine.system.systemctl(As::Root, args);
    let active = |unit: &str| systemctl(&["is-active", unit]).stdout.trim().to_owned();
    let services: Vec<String> = machine.nodes().into_iter().map(|row| row.service).collect();
    assert_eq!(services, ["antnode1", "antnode2"]);
    assert_eq!(active("antnode1"), "active");
    let pid = systemctl(&["show", "-P", "MainPID", "antnode1"]).stdout;
    let status = machine.run("cat", [format!("/proc/{}/status", pid.trim())]);
    status.assert_stdout_contains("Uid:\t1501");

    // These units do not restart a killed node. wnm does.
    let _ = systemctl(&["kill", "--signal=KILL", "antnode2"]).succeeded();
    until(LONG, "the unit to fail", || active("antnode2") == "failed");
    let healed = machine.wnm(["--json"]).run().succeeded();
    assert_eq!(healed.status(), "started-node", "{}", healed.stdout);
    machine.grow_by_cycles(2);

    let upgrade = [
        "--force-action=upgrade",
        "--service-name=0001",
        "--antnode-path",
    ];
    let _ = machine.wnm(upgrade).arg(&programs.newer).run().succeeded();
    machine.grow_by_cycles(2);
    assert_eq!(machine.nodes()[0].version.as_deref(), Some("0.4.17"));
    assert_eq!(active("antnode1"), "active");
    let _ = machine
        .wnm(["--force-action=stop", "--service-name=0002"])
        .run()
        .succeeded();
    assert_eq!(active("antnode2"), "inactive");
    let _ = machine
        .wnm(["--force-action=remove", "--service-name=0002"])
        .run()
        .succeeded();
    assert!(!storage.join("antnode0002").exists());

    // systemd remembers a failed unit that is gone. The next unit of that name must not suffer from it.
    let _ = systemctl(&["kill", "--signal=KILL", "antnode1"]).succeeded();
    until(LONG, "the unit to fail", || active("antnode1") == "failed");
    let _ = machine
        .wnm(["--force-action=teardown", "--confirm"])
        .run()
        .succeeded();
    assert!(machine.nodes().is_empty());
    let units = machine.run("ls", ["/etc/systemd/system"]).stdout;
    assert!(!units.contains("antnode"), "{units}");
    let loaded = systemctl(&["list-units", "--all", "--plain", "--no-legend", "antnode*"]);
    assert_eq!(loaded.succeeded().stdout, "");
    machine.grow(1);
    assert_eq!(machine.nodes()[0].service, "antnode1");
    assert_eq!(active("antnode1"), "active");
}

#[test]
fn root_manages_antctl_under_a_real_systemd() {
    a_colony_goes_through_its_whole_life(As::Root);
}

#[test]
fn a_user_manages_the_antctl_of_root_through_sudo() {
    if !Path::new("/usr/bin/sudo").is_file() {
        return wnm_tests::real::skip("there is no sudo");
    }
    a_colony_goes_through_its_whole_life(As::Ann);
}
