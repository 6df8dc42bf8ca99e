//! Storage that is full or cannot be written to.

use wnm_tests::colony::Colony;
use wnm_tests::nodes::WALLET;
use wnm_tests::wait;

use crate::mounts::{Mounts, quoted};
use crate::{colony, one_line};

/// A file system with room for a directory and a few small files.
const SMALL: &str = "mount -t tmpfs -o size=256k none";

#[test]
fn init_refuses_a_full_or_read_only_storage() {
    let colony = Colony::new();
    let Some(mounts) = Mounts::permitted() else {
        return;
    };
    let program = colony.program("0.4.17");
    let storage = colony.storage();
    let dir = quoted(&storage);
    let args = [
        "--init",
        "--process-manager=setsid+user",
        "--rewards-address",
        WALLET,
        "--antnode-path",
        program.to_str().unwrap(),
        "--node-storage",
        storage.to_str().unwrap(),
    ];
    let full =
        format!("{SMALL} {dir} && {{ head -c 1M /dev/zero > {dir}/fill 2> /dev/null || true; }}");
    let read_only = format!("{SMALL} {dir} && mount -o remount,ro {dir}");
    for (script, words) in [
        (full, "No space left"),
        (read_only, "Read-only file system"),
    ] {
        let line = one_line(&mounts.call(&colony, &script, &args).run().refused());
        assert!(
            line.contains(words) && line.contains(storage.to_str().unwrap()),
            "{line}"
        );
        assert!(!colony.database().exists());
    }
}

#[test]
fn an_add_fails_without_disk_space_and_succeeds_later() {
    let colony = colony();
    let Some(mounts) = Mounts::permitted() else {
        return;
    };
    let (dir, aside) = (
        quoted(&colony.storage()),
        quoted(&colony.dir().join("mark")),
    );
    // The mark proves that it is the right storage.
    let small = format!("cp {dir}/.wnm {aside} && {SMALL} {dir} && cp {aside} {dir}/.wnm");
    let read_only = format!("{small} && mount -o remount,ro {dir}");
    for (script, words) in [
        (&small, "No space left"),
        (&read_only, "Read-only file system"),
    ] {
        let args = ["--force-action", "add", "--json"];
        let output = mounts.call(&colony, script, &args).run().refused();
        assert_eq!(output.status(), "error", "{}", output.stdout);
        let step = output.stdout.lines().next().unwrap();
        assert!(
            step.contains(words) && step.contains("antnode0001"),
            "{step}"
        );
        assert_eq!(colony.processes(), []);
        let journal = colony.wnm(["events", "--node", "1"]).run().succeeded();
        journal.assert_stdout_contains("failed");
        journal.assert_stdout_contains(words);

        // Once there is room, a cycle finishes it without further input.
        wait::until(wait::LONG, "the node to run", || {
            colony.wnm(["--node-cap", "1"]).run().succeeded();
            let nodes = colony.database().nodes();
            nodes.len() == 1 && nodes[0].status == "RUNNING"
        });
        assert_eq!(colony.processes().len(), 1);
        let args = ["--force-action", "teardown", "--confirm"];
        colony.wnm(args).run().succeeded();
        colony.assert_nothing_left();
    }
}
