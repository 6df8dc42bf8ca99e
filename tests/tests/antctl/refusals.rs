//! An antctl that cannot be used, and a registry that cannot be read: one line says what is wrong and what to do, and
//! no node is touched.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use serde_json::Value;
use wnm_tests::antctl::AntctlFixture;
use wnm_tests::nodes;

use super::{colony_of, fixture, process_of};

fn fake(fixture: &AntctlFixture, says: &str, mode: u32) {
    let path = fixture.colony.dir().join("fake/antctl");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn init_refuses_an_unusable_antctl() {
    let Some(mut fixture) = fixture() else { return };
    fixture.antctl = fixture.colony.dir().join("fake/antctl");
    let mut cases = vec![("does not exist; install antctl with antup", None)];
    cases.extend([
        (
            "is not executable; chmod +x it",
            Some(("Autonomi Node Manager v0.14.2", 0o644)),
        ),
        (
            "is antctl 0.11.3, and 0.12.0 is the oldest",
            Some(("Autonomi Node Manager v0.11.3", 0o755)),
        ),
        (
            "is no antctl: it answers --version with 'hello'",
            Some(("hello", 0o755)),
        ),
    ]);
    for (words, there) in cases {
        if let Some((says, mode)) = there {
            fake(&fixture, says, mode);
        }
        for options in [&["--node-cap=3"][..], &["--node-cap=3", "--dry-run"]] {
            let output = fixture.try_init("antctl+user", "0.4.16", options).refused();
            output.assert_stderr_contains(words);
            output.assert_stderr_contains("fake/antctl");
            assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
            assert!(!fixture.colony.database().exists());
        }
    }
}

#[test]
fn root_cannot_use_the_antctl_of_a_user() {
    let Some(fixture) = fixture() else { return };
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let output = fixture
        .colony
        .wnm([
            "--init",
            "--process-manager=antctl+user",
            "--rewards-address",
        ])
        .args([nodes::WALLET, "--antctl-path"])
        .arg(&fixture.antctl)
        .arg("--antnode-path")
        .arg(fixture.program("0.4.16"))
        .run()
        .refused();
    output.assert_stderr_contains("take antctl+sudo");
}

#[test]
fn a_failed_upgrade_keeps_no_previous_program() {
    let Some(fixture) = colony_of(1, "0.4.16") else {
        return;
    };
    let before = process_of(&fixture, "antnode1");
    let upgrade = ["--force-action=upgrade", "--service-name=1"];
    let program = format!("--antnode-path={}", fixture.program("0.4.17").display());
    let output = fixture
        .wnm(upgrade)
        .arg(&program)
        // antctl stops no node without a systemctl.
        .env("PATH", "/nowhere")
        .run()
        .refused();
    output.assert_stdout_contains("antctl upgrade");
    assert_eq!(process_of(&fixture, "antnode1"), before);
    let kept = fixture.nodes()[0].root_dir.join("antnode.previous");
    assert!(!kept.exists(), "{}", kept.display());
    let _ = fixture.wnm(upgrade).arg(&program).run().succeeded();
    fixture.settle(1);
    assert_eq!(fixture.nodes()[0].version.as_deref(), Some("0.4.17"));
}

#[test]
fn init_refuses_a_storage_with_blanks() {
    let Some(fixture) = fixture() else { return };
    let storage = fixture.colony.dir().join("my nodes");
    fs::create_dir(&storage).unwrap();
    fixture.give_to_user(&storage);
    fixture.init(
        "antctl+user",
        "0.4.16",
        &["--node-storage", storage.to_str().unwrap()],
    );
    let output = fixture.wnm(["--force-action=add"]).run().refused();
    output.assert_stdout_contains("antctl cannot handle the path");
    assert!(fixture.nodes().is_empty() && fixture.names().is_empty());
}

#[test]
fn a_truncated_registry_is_restored() {
    let Some(fixture) = colony_of(2, "0.4.16") else {
        return;
    };
    let whole = fs::read(fixture.registry()).unwrap();
    let pids = || ["antnode1", "antnode2"].map(|name| process_of(&fixture, name).unwrap().pid);
    let before = (fixture.names(), pids());
    for part in [whole.len() - 2, whole.len() / 2, 1, 0] {
        fs::write(fixture.registry(), &whole[..part]).unwrap();
        let output = fixture.wnm(["--force-action=survey"]).run().succeeded();
        assert!(
            output.stderr.contains("antctl was interrupted"),
            "{output:?}"
        );
        let rows = fixture.nodes();
        assert!(rows.iter().all(|row| row.status == "RUNNING"), "{rows:#?}");
        assert_eq!(
            (fixture.names(), rows.len(), pids()),
            (before.0.clone(), 2, before.1)
        );
    }

    // A complete file, but without any service.
    let mut bare: Value = serde_json::from_slice(&whole).unwrap();
    bare["nodes"] = Value::Array(Vec::new());
    fs::write(fixture.registry(), bare.to_string()).unwrap();
    let output = fixture.wnm(["--json"]).run();
    let output = format!("{}{}", output.stdout, output.stderr);
    assert!(output.contains("has lost all services"), "{output}");
    assert!(output.contains("node_registry.json.wnm"), "{output}");
    assert_eq!((fixture.nodes().len(), pids()), (2, before.1));
    fs::copy(registry_backup(&fixture), fixture.registry()).unwrap();
    fixture.settle(2);
    assert_eq!((fixture.names(), pids()), (before.0, before.1));

    // Nothing that may run is deleted either.
    let teardown = || fixture.wnm(["--force-action=teardown", "--confirm"]).run();
    fs::write(fixture.registry(), bare.to_string()).unwrap();
    let refused = teardown().refused();
    assert!(
        refused.stderr.contains("has lost all services"),
        "{refused:?}"
    );
    assert_eq!((fixture.colony.node_dirs().len(), pids()), (2, before.1));
    assert_eq!(fixture.nodes().len(), 2);
    fs::copy(registry_backup(&fixture), fixture.registry()).unwrap();

    // A teardown deletes it.
    let _ = teardown().succeeded();
    assert!(!registry_backup(&fixture).exists());
}

/// The copy that wnm keeps of antctl's registry.
fn registry_backup(fixture: &AntctlFixture) -> PathBuf {
    fixture.registry().with_file_name("node_registry.json.wnm")
}

#[test]
fn an_unreadable_registry_affects_no_node() {
    let Some(fixture) = colony_of(2, "0.4.16") else {
        return;
    };
    let whole = fs::read(fixture.registry()).unwrap();
    let pids = || ["antnode1", "antnode2"].map(|name| process_of(&fixture, name).unwrap().pid);
    let before = pids();
    let unread = |words: &str| {
        let output = fixture.wnm(["--json"]).run();
        let output = format!("{}{}", output.stdout, output.stderr);
        assert!(output.contains(words), "{output}");
        assert_eq!(pids(), before);
        let _ = fixture
            .wnm(["--force-action=stop", "--service-name=1"])
            .run()
            .refused();
        assert_eq!(pids(), before);
        assert_eq!(fixture.nodes().len(), 2);
    };
    fs::remove_file(registry_backup(&fixture)).unwrap();
    for part in [whole.len() / 2, 500, 1] {
        fs::write(fixture.registry(), &whole[..part]).unwrap();
        unread("cannot say what services there are");
    }
    fs::write(fixture.registry(), &whole).unwrap();
    if nix::unistd::geteuid().is_root() {
        fs::set_permissions(fixture.registry(), fs::Permissions::from_mode(0o644)).unwrap();
        chown(fixture.registry(), Some(0), Some(0)).unwrap();
        unread("belongs to root, so antctl cannot write it; give it back with: sudo chown");
        fixture.give_to_user(&fixture.registry());
    }
    // antctl is missing for a while.
    let away = fixture.colony.dir().join("programs/away");
    fs::rename(fixture.colony.dir().join("programs/antctl"), &away).unwrap();
    unread("does not exist; install antctl with antup");
    fs::rename(&away, fixture.colony.dir().join("programs/antctl")).unwrap();
    assert!(Path::new(&fixture.antctl).is_file());

    let _ = fixture
        .wnm(["--force-action=stop", "--service-name=1"])
        .run()
        .succeeded();
    assert!(process_of(&fixture, "antnode1").is_none());
    assert!(process_of(&fixture, "antnode2").is_some());
}
