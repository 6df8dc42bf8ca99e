//! The machine's launchd, used through a real sudo by a user who is not root. The launchd is the fake one, in a booted
//! machine.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use wnm_tests::systemd::{As, Machine};
use wnm_tests::wait::{LONG, until};
use wnm_tests::{binaries, real};

/// The directory of the machine's jobs.
const JOBS: &str = "/Library/LaunchDaemons";

/// Puts a launchd into the machine, and a `launchctl` that finds it in any environment.
fn bring_launchd(machine: &Machine) {
    let dir = machine.programs.path().join("launchd");
    std::fs::create_dir(&dir).unwrap();
    let program = dir.join("fake-launchctl");
    std::fs::copy(binaries::fake_launchctl(), &program).unwrap();
    let settings = r#"{"listed": "system", "settles_ms": 300, "second_ms": 100}"#;
    std::fs::write(dir.join("settings.json"), settings).unwrap();
    let (dir, program) = (dir.display(), program.display());
    let wrapper = machine.system.path(Path::new("/usr/local/bin/launchctl"));
    let script = format!("#!/bin/sh\nWNM_FAKE_LAUNCHD={dir} exec {program} \"$@\"\n");
    std::fs::write(&wrapper, script).unwrap();
    std::fs::set_permissions(&wrapper, Permissions::from_mode(0o755)).unwrap();
    // It ends when its standard input closes, which ends with the machine.
    let serves = format!("sleep infinity | WNM_FAKE_LAUNCHD={dir} {program} serve");
    let as_root = |program: &str, args: &[&str]| {
        let call = machine.system.call(As::Root, Path::new(program), args);
        call.run().succeeded()
    };
    as_root("/bin/mkdir", &["-p", JOBS]);
    as_root(
        "/usr/bin/systemd-run",
        &["--unit=launchd", "/bin/sh", "-c", &serves],
    );
    until(LONG, "launchd to listen", || {
        let list = machine
            .system
            .call(As::Root, Path::new("/usr/local/bin/launchctl"), ["list"]);
        list.run().code == Some(0)
    });
}

#[test]
fn a_user_manages_the_launchd_of_the_machine_through_sudo() {
    if !Path::new("/usr/bin/sudo").is_file() {
        return real::skip("there is no sudo");
    }
    let Some(machine) = Machine::up(As::Ann) else {
        return;
    };
    bring_launchd(&machine);
    let wnm = |args: &[&str]| {
        machine
            .wnm(args)
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .run()
    };
    // Her directory, since wnm itself runs with her rights. The nodes' own directories belong to their account.
    let storage = machine.programs.path().join("state/nodes");
    let storage = format!("--node-storage={}", storage.display());
    let program = format!("--antnode-path={}", machine.program("0.4.16").display());
    let environment = format!("--environment=ANT_PEERS={}", wnm_tests::nodes::NOWHERE);
    let mut init = vec!["--init", "--no-upnp", "--process-manager=launchd+sudo"];
    init.extend([
        "--rewards-address",
        wnm_tests::nodes::WALLET,
        "--firewall=none",
    ]);
    init.extend([&*storage, &*program, &*environment, "--node-cap=3"]);
    init.extend(wnm_tests::colony::EAGER);
    let _ = wnm(&init).succeeded();

    let refused = wnm(&["--force-action=add"]).refused();
    let printed = format!("{}{}", refused.stdout, refused.stderr);
    assert!(printed.contains("not permitted"), "{printed}");

    let rights = machine.system.path(Path::new("/etc/sudoers.d/ann"));
    std::fs::write(&rights, "ann ALL=(ALL) NOPASSWD: ALL\n").unwrap();
    std::fs::set_permissions(&rights, Permissions::from_mode(0o440)).unwrap();
    // None of it was begun, so cron's cycle does what it decides itself.
    assert_eq!(machine.nodes(), []);
    let added = wnm(&["--json"]).succeeded();
    assert_eq!(added.status(), "added-node", "{}", added.stdout);
    until(LONG, "three nodes", || {
        let _ = wnm(&["--force-action=survey"]).succeeded();
        machine.statuses() == ["RUNNING"; 3]
    });
    let pid = |node: u32| {
        let list = machine
            .system
            .call(As::Root, Path::new("/usr/local/bin/launchctl"), ["list"]);
        let list = list.run().succeeded().stdout;
        let label = format!("\tcom.autonomi.antnode-{node}");
        let row = list.lines().find(|line| line.ends_with(&label))?;
        row.split('\t').next()?.parse::<i32>().ok()
    };
    let first = pid(1).unwrap();
    let status = machine.run("cat", [format!("/proc/{first}/status")]);
    status.assert_stdout_contains("Uid:\t1501");
    let job = machine
        .system
        .path(&Path::new(JOBS).join("com.autonomi.antnode-1.plist"));
    let text = std::fs::read_to_string(&job).unwrap();
    assert!(
        text.contains("<key>UserName</key>\n\t<string>ant</string>"),
        "{text}"
    );
    let mode = std::fs::metadata(&job).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);

    let newer = machine.program("0.4.17");
    let newer = format!("--antnode-path={}", newer.display());
    let _ = wnm(&["--force-action=upgrade", "--service-name=0002", &newer]).succeeded();
    assert_eq!(machine.nodes()[1].version.as_deref(), Some("0.4.17"));
    let _ = wnm(&["--force-action=stop", "--service-name=0003"]).succeeded();
    assert_eq!(pid(3), None);
    assert_eq!(pid(1), Some(first));

    let _ = wnm(&["--force-action=teardown", "--confirm"]).succeeded();
    assert!(machine.nodes().is_empty());
    let left = machine.run("ls", [JOBS]).succeeded().stdout;
    assert_eq!(left, "");
}
