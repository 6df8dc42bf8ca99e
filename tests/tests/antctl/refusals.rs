//! An antctl that cannot be driven, and a registry that cannot be read: one line says what is wrong and what to do,
//! and no node is touched.

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
fn an_antctl_that_cannot_be_driven_makes_no_colony() {
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
            let told = fixture.try_init("antctl+user", "0.4.16", options).refused();
            assert!(told.stderr.contains(words), "{}", told.stderr);
            assert!(told.stderr.contains("fake/antctl"), "{}", told.stderr);
            assert_eq!(told.stderr.lines().count(), 1, "{}", told.stderr);
            assert!(!fixture.colony.database().exists());
        }
    }
}

#[test]
fn root_has_no_antctl_of_a_user() {
    let Some(fixture) = fixture() else { return };
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let told = fixture
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
    assert!(told.stderr.contains("take antctl+sudo"), "{}", told.stderr);
}

#[test]
fn an_upgrade_that_replaced_nothing_keeps_no_second_program() {
    let Some(fixture) = colony_of(1, "0.4.16") else {
        return;
    };
    let before = process_of(&fixture, "antnode1");
    let upgrade = ["--force-action=upgrade", "--service-name=1"];
    let program = format!("--antnode-path={}", fixture.program("0.4.17").display());
    let told = fixture
        .wnm(upgrade)
        .arg(&program)
        // antctl stops no node without a systemctl.
        .env("PATH", "/nowhere")
        .run()
        .refused();
    assert!(told.stdout.contains("antctl upgrade"), "{}", told.stdout);
    assert_eq!(process_of(&fixture, "antnode1"), before);
    let kept = fixture.nodes()[0].root_dir.join("antnode.previous");
    assert!(!kept.exists(), "{}", kept.display());
    let _ = fixture.wnm(upgrade).arg(&program).run().succeeded();
    fixture.settle(1);
    assert_eq!(fixture.nodes()[0].version.as_deref(), Some("0.4.17"));
}

#[test]
fn a_storage_with_blanks_is_refused_before_anything_is_made() {
    let Some(fixture) = fixture() else { return };
    let storage = fixture.colony.dir().join("my nodes");
    fs::create_dir(&storage).unwrap();
    fixture.hand_over(&storage);
    fixture.init(
        "antctl+user",
        "0.4.16",
        &["--node-storage", storage.to_str().unwrap()],
    );
    let told = fixture.wnm(["--force-action=add"]).run().refused();
    assert!(
        told.stdout.contains("antctl cannot handle the path"),
        "{}",
        told.stdout
    );
    assert!(fixture.nodes().is_empty() && fixture.names().is_empty());
}

#[test]
fn a_registry_that_was_not_written_to_its_end_is_mended() {
    let Some(fixture) = colony_of(2, "0.4.16") else {
        return;
    };
    let whole = fs::read(fixture.registry()).unwrap();
    let pids = || ["antnode1", "antnode2"].map(|name| process_of(&fixture, name).unwrap().pid);
    let before = (fixture.names(), pids());
    for part in [whole.len() - 2, whole.len() / 2, 1, 0] {
        fs::write(fixture.registry(), &whole[..part]).unwrap();
        let told = fixture.wnm(["--force-action=survey"]).run().succeeded();
        assert!(told.stderr.contains("antctl was interrupted"), "{told:?}");
        let rows = fixture.nodes();
        assert!(rows.iter().all(|row| row.status == "RUNNING"), "{rows:#?}");
        assert_eq!(
            (fixture.names(), rows.len(), pids()),
            (before.0.clone(), 2, before.1)
        );
    }

    // It was written to its end, but nothing is in it any more.
    let mut bare: Value = serde_json::from_slice(&whole).unwrap();
    bare["nodes"] = Value::Array(Vec::new());
    fs::write(fixture.registry(), bare.to_string()).unwrap();
    let told = fixture.wnm(["--json"]).run();
    let told = format!("{}{}", told.stdout, told.stderr);
    assert!(told.contains("has lost all services"), "{told}");
    assert!(told.contains("node_registry.json.wnm"), "{told}");
    assert_eq!((fixture.nodes().len(), pids()), (2, before.1));
    fs::copy(spare(&fixture), fixture.registry()).unwrap();
    fixture.settle(2);
    assert_eq!((fixture.names(), pids()), (before.0, before.1));

    // Neither is anything deleted that may run.
    let teardown = || fixture.wnm(["--force-action=teardown", "--confirm"]).run();
    fs::write(fixture.registry(), bare.to_string()).unwrap();
    let refused = teardown().refused();
    assert!(
        refused.stderr.contains("has lost all services"),
        "{refused:?}"
    );
    assert_eq!((fixture.colony.node_dirs().len(), pids()), (2, before.1));
    assert_eq!(fixture.nodes().len(), 2);
    fs::copy(spare(&fixture), fixture.registry()).unwrap();

    // Nothing of it survives a teardown.
    let _ = teardown().succeeded();
    assert!(!spare(&fixture).exists());
}

/// The copy that wnm keeps of antctl's registry.
fn spare(fixture: &AntctlFixture) -> PathBuf {
    fixture.registry().with_file_name("node_registry.json.wnm")
}

#[test]
fn a_registry_that_cannot_be_read_touches_no_node() {
    let Some(fixture) = colony_of(2, "0.4.16") else {
        return;
    };
    let whole = fs::read(fixture.registry()).unwrap();
    let pids = || ["antnode1", "antnode2"].map(|name| process_of(&fixture, name).unwrap().pid);
    let before = pids();
    let unread = |words: &str| {
        let told = fixture.wnm(["--json"]).run();
        let told = format!("{}{}", told.stdout, told.stderr);
        assert!(told.contains(words), "{told}");
        assert_eq!(pids(), before);
        let _ = fixture
            .wnm(["--force-action=stop", "--service-name=1"])
            .run()
            .refused();
        assert_eq!(pids(), before);
        assert_eq!(fixture.nodes().len(), 2);
    };
    fs::remove_file(spare(&fixture)).unwrap();
    for part in [whole.len() / 2, 500, 1] {
        fs::write(fixture.registry(), &whole[..part]).unwrap();
        unread("cannot say what services there are");
    }
    fs::write(fixture.registry(), &whole).unwrap();
    if nix::unistd::geteuid().is_root() {
        fs::set_permissions(fixture.registry(), fs::Permissions::from_mode(0o644)).unwrap();
        chown(fixture.registry(), Some(0), Some(0)).unwrap();
        unread("belongs to root, so antctl cannot write it; give it back with: sudo chown");
        fixture.hand_over(&fixture.registry());
    }
    // antctl is gone for a while.
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
