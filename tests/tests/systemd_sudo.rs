//! The machine's systemd, used through a real sudo by a user who is not root.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use wnm_tests::real;
use wnm_tests::systemd::{As, Machine};

/// What a user with the right to sudo can do with the machine's systemd, and the error for a user without it.
#[test]
fn a_user_manages_the_systemd_of_the_machine_through_sudo() {
    if !Path::new("/usr/bin/sudo").is_file() {
        return real::skip("there is no sudo");
    }
    let Some(machine) = Machine::up(As::Ann) else {
        return;
    };
    // Her directory, since wnm itself runs with her rights. The nodes' own directories belong to their account.
    let storage = machine.programs.path().join("state/nodes");
    let storage = format!("--node-storage={}", storage.display());
    let sudo = ["--process-manager=systemd+sudo", &storage, "--node-cap=3"];
    let _ = machine.init(&machine.program("0.4.16"), &sudo);

    let refused = machine.wnm(["--force-action=add"]).run().refused();
    refused.assert_stdout_contains("not permitted");
    // It could not be undone either, so it stays on record, and is finished once she may.
    assert_eq!(machine.statuses(), ["RESTARTING"]);

    let rights = machine.system.path(Path::new("/etc/sudoers.d/ann"));
    std::fs::write(&rights, "ann ALL=(ALL) NOPASSWD: ALL\n").unwrap();
    std::fs::set_permissions(&rights, Permissions::from_mode(0o440)).unwrap();
    let resumed = machine.wnm(["--json"]).run().succeeded();
    assert_eq!(resumed.status(), "resumed", "{}", resumed.stdout);
    machine.grow(3);
    let pid = |unit: &str| {
        let output = machine
            .system
            .systemctl(As::Root, ["show", "-P", "MainPID", unit]);
        output.succeeded().stdout.trim().to_owned()
    };
    let status = machine.run("cat", [format!("/proc/{}/status", pid("antnode0001"))]);
    status.assert_stdout_contains("Uid:\t1501");

    let newer = machine.program("0.4.17");
    let newer = format!("--antnode-path={}", newer.display());
    let upgrade = ["--force-action=upgrade", "--service-name=0002", &newer];
    let _ = machine.wnm(upgrade).run().succeeded();
    assert_eq!(machine.nodes()[1].version.as_deref(), Some("0.4.17"));
    let _ = machine
        .wnm(["--force-action=stop", "--service-name=0003"])
        .run()
        .succeeded();
    assert_eq!(pid("antnode0003"), "0");

    let _ = machine
        .wnm(["--force-action=teardown", "--confirm"])
        .run()
        .succeeded();
    assert!(machine.nodes().is_empty());
    let left = machine.run("ls", ["/etc/systemd/system"]).stdout;
    assert!(!left.contains("antnode"), "{left}");
}
