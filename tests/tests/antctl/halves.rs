//! A call of antctl that ends in the middle: what it left is found and used or taken away, and nothing is doubled.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use wnm_tests::antctl::AntctlFixture;

use super::{fixture, process_of};

/// Puts a program in antctl's place that does as `script` says when it is asked to add a node, once, and is antctl
/// otherwise. `$real` is the real one, `$registry` its file.
fn instead(fixture: &AntctlFixture, script: &str) {
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

/// Adds a node while the first call of antctl for it ends as `script` says, and goes on until it runs. Whether wnm
/// gets along with that at once is `at_once`; otherwise it takes everything back.
fn added_in_spite_of(script: &str, at_once: bool) {
    let Some(mut fixture) = fixture() else { return };
    instead(&fixture, script);
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
    let _ = fixture
        .wnm(["--force-action=teardown", "--confirm"])
        .run()
        .succeeded();
    fixture.colony.assert_nothing_left();
    assert_eq!(fixture.unit_names(), [""; 0]);
}

#[test]
fn an_add_killed_before_it_wrote_the_unit() {
    // The directory is there, and a part of the program.
    added_in_spite_of(
        "while [ \"$1\" != --data-dir-path ]; do shift; done\n\
         mkdir -p $2/antnode1; head -c 100000 $real >$2/antnode1/antnode; kill -9 $$",
        false,
    );
}

#[test]
fn an_add_killed_before_it_wrote_the_registry() {
    added_in_spite_of(
        "$real \"$@\" >/dev/null 2>&1; rm -f $registry; kill -9 $$",
        false,
    );
}

#[test]
fn an_add_killed_when_all_was_done() {
    added_in_spite_of("$real \"$@\" >/dev/null 2>&1; kill -9 $$", true);
}

#[test]
fn an_add_that_is_forgotten() {
    // As when another call that began before writes the registry back.
    added_in_spite_of("$real \"$@\"; rm -f $registry; exit 0", true);
}
