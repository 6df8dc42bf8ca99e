//! Concurrent runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{SystemTime, UNIX_EPOCH};

use wnm_tests::call::Call;
use wnm_tests::wait::{self, LONG};

use crate::{colony, colony_of, one_line, refused};

#[test]
fn a_second_run_names_the_first_and_reports_still_work() {
    let colony = colony_of(1);
    // This node program prints its version only when the gate opens, so the first run keeps waiting.
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
    let output = colony.wnm(["--report", "node-status"]).run().succeeded();
    output.assert_stdout_contains("antnode0001");
    colony.wnm(["events"]).run().succeeded();

    fs::write(&gate, "go\n").unwrap();
    first.finish().succeeded();
    assert_eq!(colony.processes().len(), 1);
    colony.wnm(["--force-action", "survey"]).run().succeeded();
}

#[test]
fn the_lock_of_a_killed_run_blocks_nobody() {
    let colony = colony();
    fs::write(colony.dir().join("colony.db.lock"), "1\n1\nwnm\n").unwrap();
    colony.wnm::<&str>([]).run().succeeded();
}

#[test]
fn a_recent_python_lock_blocks_and_a_stale_one_is_reported() {
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
    let output = colony.wnm(["--force-action", "survey"]).run().succeeded();
    let line = one_line(&output);
    assert!(
        line.contains("wnm_active") && line.contains("--remove-lockfile"),
        "{line}"
    );
    assert!(lock.exists(), "nobody asked for its removal");

    let remove = |colony: &wnm_tests::colony::Colony| -> Call { colony.wnm(["--remove-lockfile"]) };
    let output = remove(&colony).run().succeeded();
    output.assert_stdout_contains("deleted");
    assert!(!lock.exists());
    let output = remove(&colony).arg("--json").run().succeeded();
    assert_eq!(output.status(), "lockfile-removed");
    let output = colony.wnm(["--force-action", "survey"]).run().succeeded();
    assert_eq!(output.stderr, "");
}
