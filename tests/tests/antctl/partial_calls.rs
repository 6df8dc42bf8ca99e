//! Calls of antctl that end halfway: wnm finds what they left, uses it or removes it, and nothing exists twice.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use wnm_tests::antctl::AntctlFixture;

use super::{fixture, process_of, tear_down};

/// Puts a program in antctl's place that runs `script` the first time it is asked to add a node, and is antctl
/// otherwise. `$real` is the real antctl, `$registry` its file.
fn replace_antctl_once(fixture: &AntctlFixture, script: &str) {
    let dir = fixture.colony.dir();
    let real = dir.join("programs/antctl");
    let path = dir.join("wrapped/antctl");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let once = dir.join("runtime/once");
    let text = format!(
        "#!/bin/sh\nreal={}\nregistry={}\nfor word in \"$@\"; do\n\
         if [ \"$word\" = add ] && mkdir {} 2>/dev/null; then\n{script}\nfi\ndone\nexec $real \"$@\"\n",
        real.display(),
        fixture.registry().display(),
        once.display(),
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Adds a node while antctl's first call for it runs `script`, and goes on until the node runs. `at_once` says whether
/// wnm copes within that call; otherwise it undoes everything.
fn adds_one_node_despite(script: &str, at_once: bool) {
    let Some(mut fixture) = fixture() else { return };
    replace_antctl_once(&fixture, script);
    fixture.antctl = fixture.colony.dir().join("wrapped/antctl");
    fixture.init("antctl+user", "0.4.16", &["--node-cap=3"]);
    let added = fixture.wnm(["--force-action=add"]).run();
    assert_eq!(added.code, Some(i32::from(!at_once)), "{}", added.stdout);
    let _ = fixture.wnm(["--force-action=survey"]).run().succeeded();
    assert_eq!(fixture.nodes().is_empty(), !at_once);
    if !at_once {
        assert_eq!(fixture.unit_names(), [""; 0], "a unit without a node");
        assert_eq!(fixture.names(), [""; 0], "a service without a node");
        assert_eq!(
            fixture.colony.node_dirs(),
            [""; 0],
            "a directory without a node"
        );
        let _ = fixture.wnm(["--force-action=add"]).run().succeeded();
    }
    fixture.settle(1);
    assert_eq!(fixture.names(), ["antnode1"]);
    assert_eq!(fixture.unit_names(), ["antnode1.service"]);
    assert_eq!(fixture.nodes().len(), 1);
    assert!(process_of(&fixture, "antnode1").is_some());
    assert_eq!(fixture.colony.processes().len(), 1);
    tear_down(&fixture);
}

#[test]
fn an_add_killed_before_it_wrote_the_unit_adds_one_node() {
    // There is a directory, and a part of the program.
    adds_one_node_despite(
        "while [ \"$1\" != --data-dir-path ]; do shift; done\n\
         mkdir -p $2/antnode1; head -c 100000 $real >$2/antnode1/antnode; kill -9 $$",
        false,
    );
}

#[test]
fn an_add_killed_before_it_wrote_the_registry_adds_one_node() {
    adds_one_node_despite(
        "$real \"$@\" >/dev/null 2>&1; rm -f $registry; kill -9 $$",
        false,
    );
}

#[test]
fn an_add_killed_when_all_was_done_adds_one_node() {
    adds_one_node_despite("$real \"$@\" >/dev/null 2>&1; kill -9 $$", true);
}

#[test]
fn a_forgotten_add_adds_one_node() {
    // As when a concurrent call that began earlier writes the registry back.
    adds_one_node_despite("$real \"$@\"; rm -f $registry; exit 0", true);
}
