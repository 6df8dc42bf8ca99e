//! Databases that are not databases, foreign, newer, read-only, in use, or missing.

use std::fs;

use wnm_tests::colony::Colony;
use wnm_tests::nodes::WALLET;

use crate::directory_state::DirectoryState;
use crate::mounts::{self, Mounts};
use crate::{call, colony, colony_of, one_line, refused};

/// Commands that need a colony, each in its own way.
const COMMANDS: [&[&str]; 6] = [
    &[],
    &["plan"],
    &["events"],
    &["--report", "node-status"],
    &["--force-action", "survey"],
    &["--dry-run"],
];

#[test]
fn without_a_database_every_command_refuses_and_names_init() {
    let colony = Colony::new();
    let home = Colony::new();
    for args in COMMANDS {
        refused(
            &colony,
            args,
            &["no colony at", "colony.db", "wnm --init --rewards-address"],
        );
        let without_dbpath = |json| call(&home, args, json).without("DBPATH");
        crate::refused_as(&home, without_dbpath, &["no colony at", "wnm --init"]);
    }
}

#[test]
fn a_second_init_is_refused() {
    let colony = colony_of(1);
    let program = colony.program("0.4.17");
    let args = [
        "--init",
        "--rewards-address",
        WALLET,
        "--antnode-path",
        program.to_str().unwrap(),
    ];
    refused(&colony, &args, &["holds a colony already", "without it"]);
    assert_eq!(colony.database().nodes().len(), 1);
}

#[test]
fn a_foreign_file_is_refused_and_stays_unchanged() {
    let colony = Colony::new();
    let program = colony.program("0.4.17");
    let init = [
        "--init",
        "--rewards-address",
        WALLET,
        "--antnode-path",
        program.to_str().unwrap(),
    ];
    let path = colony.database_path();

    fs::write(&path, "this is my diary, not a database\n".repeat(100)).unwrap();
    for args in COMMANDS.into_iter().chain([init.as_slice()]) {
        refused(
            &colony,
            args,
            &["colony.db", "not an SQLite database", "--dbpath"],
        );
    }

    fs::write(&path, "").unwrap();
    colony.database().execute("CREATE TABLE recipe (name TEXT)");
    for args in COMMANDS.into_iter().chain([init.as_slice()]) {
        refused(&colony, args, &["colony.db", "another program", "--dbpath"]);
    }

    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    for args in COMMANDS.into_iter().chain([init.as_slice()]) {
        refused(&colony, args, &["colony.db"]);
    }
}

#[test]
fn a_damaged_database_is_reported_and_stays_unchanged() {
    let colony = colony();
    let path = colony.database_path();
    let mut bytes = fs::read(&path).unwrap();
    for byte in &mut bytes[100..] {
        *byte = 0x5a;
    }
    fs::write(&path, &bytes).unwrap();
    for args in COMMANDS {
        let line = one_line(&call(&colony, args, false).run().refused());
        assert!(line.contains("colony.db is damaged"), "{line}");
        // The files that SQLite keeps beside it may be new: it was not closed properly.
        assert_eq!(fs::read(&path).unwrap(), bytes, "{args:?}");
    }
}

#[test]
fn a_newer_database_is_refused() {
    let colony = colony_of(1);
    let row = "('m20990101_000001_beyond', 4070908800)";
    colony.database().execute(&format!(
        "INSERT INTO wnm_migration (version, applied_at) VALUES {row}"
    ));
    let before = colony.processes();
    for args in COMMANDS {
        refused(&colony, args, &["newer wnm", "m20990101_000001_beyond"]);
    }
    assert_eq!(colony.processes(), before);
}

#[test]
fn an_unreadable_row_is_named() {
    let colony = colony();
    colony
        .database()
        .execute("UPDATE machine SET rewards_address = 'me'");
    for args in COMMANDS {
        refused(&colony, args, &["table machine", "rewards_address", "'me'"]);
    }
}

#[test]
fn a_read_only_database_allows_reports_but_no_changes() {
    let colony = colony_of(1);
    let Some(mounts) = Mounts::permitted() else {
        return;
    };
    let before = DirectoryState::of(colony.dir());
    let script = format!(
        "mount --bind {dir} {dir} && mount -o remount,ro,bind {dir}",
        dir = mounts::quoted(colony.dir())
    );
    let run = |args: &[&str]| mounts.call(&colony, &script, args).run();
    for args in [&[][..], &["--force-action", "survey"], &["--node-cap", "4"]] {
        let line = one_line(&run(args).refused());
        assert!(
            line.contains("read-only") || line.contains("Read-only"),
            "{line}"
        );
        assert!(line.contains("colony.db"), "{line}");
    }
    // Reading needs no write access.
    for args in [&["--report", "node-status"][..], &["events"]] {
        let output = run(args).succeeded();
        output.assert_stdout_contains("antnode0001");
    }
    DirectoryState::of(colony.dir()).assert_same_as(&before);
    assert_eq!(colony.processes().len(), 1);
}

#[test]
fn a_locked_database_is_awaited_up_to_a_deadline() {
    let colony = colony_of(1);
    let held = colony.database().hold();
    for args in [&["--force-action", "stop"][..], &["--node-cap", "4"]] {
        let line = one_line(&colony.wnm(args).run().refused());
        assert!(line.contains("in use by another program"), "{line}");
    }
    // Reports still work.
    let output = colony.wnm(["--report", "node-status"]).run().succeeded();
    output.assert_stdout_contains("antnode0001");
    drop(held);
    assert_eq!(
        colony.processes().len(),
        1,
        "a node was touched that could not be recorded"
    );
    assert_eq!(colony.database().nodes().len(), 1);
    assert_eq!(
        colony
            .database()
            .value("SELECT node_cap FROM machine")
            .as_deref(),
        Some("20")
    );
    colony.wnm(["--force-action", "survey"]).run().succeeded();
}
