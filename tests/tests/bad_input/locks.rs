//! Someone else is at it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{SystemTime, UNIX_EPOCH};

use wnm_tests::call::Call;
use wnm_tests::wait::{self, LONG};

use crate::{colony, colony_of, one_line, refused};

#[test]
fn a_second_run_says_who_is_at_it_and_a_report_does_not_care() {
    let colony = colony_of(1);
    // A node program that says its version when the gate opens, so that the first run stays.
    let gate = colony.dir().join("gate");
    nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let slow = colony.dir().join("slow");
    let script = format!(
        "#!/bin/sh\nread -r x < '{}'\necho 'Autonomi Node v0.4.17'\n",
        gate.display()
    );
    fs::write(&slow, script).unwrap();
    fs::set_permissions(&slow, fs::Permissions::from_mode(0o755)).unwrap();
    let first = colony
        .wnm(["--antnode-path", slow.to_str().unwrap(), "--node-cap=1"])
        .spawn();
    let lock = colony.dir().join("colony.db.lock");
    let pid = first.pid().to_string();
    wait::until(LONG, "the first run to take the lock", || {
        fs::read_to_string(&lock).is_ok_and(|text| text.lines().next() == Some(pid.as_str()))
    });

    for args in [
        &[][..],
        &["--force-action", "stop"],
        &["--force-action", "teardown", "--confirm"],
    ] {
        let line = one_line(&colony.wnm(args).run().refused());
        assert!(
            line.contains(&format!("another wnm (pid {pid}, since ")),
            "{line}"
        );
        assert!(line.contains("`wnm --antnode-path "), "{line}");
        assert!(line.contains("colony.db"), "{line}");
    }
    let told = colony.wnm(["--report", "node-status"]).run().succeeded();
    assert!(told.stdout.contains("antnode0001"), "{}", told.stdout);
    colony.wnm(["events"]).run().succeeded();

    fs::write(&gate, "go\n").unwrap();
    first.finish().succeeded();
    assert_eq!(colony.processes().len(), 1);
    colony.wnm(["--force-action", "survey"]).run().succeeded();
}

#[test]
fn a_lock_of_a_run_that_was_killed_holds_nobody_up() {
    let colony = colony();
    fs::write(colony.dir().join("colony.db.lock"), "1\n1\nwnm\n").unwrap();
    colony.wnm::<&str>([]).run().succeeded();
}

#[test]
fn a_python_wnm_that_may_be_running_is_respected_and_one_that_is_long_gone_is_told() {
    let colony = colony();
    let state = colony.home().join(".local/share/autonomi");
    fs::create_dir_all(&state).unwrap();
    let lock = state.join("wnm_active");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();

    fs::write(&lock, (now - 60).to_string()).unwrap();
    for args in [&[][..], &["--force-action", "survey"], &["--node-cap", "4"]] {
        refused(
            &colony,
            args,
            &["Python wnm", "wnm_active", "--remove-lockfile"],
        );
    }
    colony.wnm(["--report", "node-status"]).run().succeeded();

    fs::write(&lock, (now - 7200).to_string()).unwrap();
    let told = colony.wnm(["--force-action", "survey"]).run().succeeded();
    let line = one_line(&told);
    assert!(
        line.contains("wnm_active") && line.contains("--remove-lockfile"),
        "{line}"
    );
    assert!(lock.exists(), "nobody asked for its removal");

    let remove = |colony: &wnm_tests::colony::Colony| -> Call { colony.wnm(["--remove-lockfile"]) };
    let told = remove(&colony).run().succeeded();
    assert!(told.stdout.contains("deleted"), "{}", told.stdout);
    assert!(!lock.exists());
    let told = remove(&colony).arg("--json").run().succeeded();
    assert_eq!(told.status(), "lockfile-removed");
    let told = colony.wnm(["--force-action", "survey"]).run().succeeded();
    assert_eq!(told.stderr, "");
}
