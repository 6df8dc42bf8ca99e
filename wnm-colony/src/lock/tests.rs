use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use tempfile::TempDir;

use super::*;

const NOW: UnixTime = UnixTime(1_763_000_000);

fn test_paths() -> (TempDir, PathBuf, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("colony.db");
    let python = directory.path().join("wnm_active");
    (directory, database, python)
}

fn refusal(database: &Path, python: &Path, now: UnixTime) -> String {
    let error = ColonyLock::acquire(database, python, now).unwrap_err();
    let directory = database.parent().unwrap().display().to_string();
    error.to_string().replace(&directory, "DIR")
}

#[test]
fn the_error_names_the_holder() {
    let (_directory, database, python) = test_paths();
    let lock = ColonyLock::acquire(&database, &python, NOW).unwrap();
    assert_eq!(lock.stale_python_lock, None);
    let message = refusal(&database, &python, NOW.plus(Seconds(60)));
    let pid = format!("(pid {}, since 02:13:20 UTC, `", std::process::id());
    assert!(message.starts_with("another wnm "), "{message}");
    assert!(message.contains(&pid), "{message}");
    assert!(
        message.ends_with("`) is working on DIR/colony.db"),
        "{message}"
    );
    let later = refusal(&database, &python, NOW.plus(Seconds(3 * 86_400)));
    assert!(later.contains(", for 3 d, `"), "{later}");
    drop(lock);
    ColonyLock::acquire(&database, &python, NOW).unwrap();
}

#[test]
fn each_database_has_its_own_lock() {
    let (directory, database, python) = test_paths();
    let _one = ColonyLock::acquire(&database, &python, NOW).unwrap();
    let other = directory.path().join("other.db");
    let _other = ColonyLock::acquire(&other, &python, NOW).unwrap();
}

#[test]
fn a_lock_ends_with_its_process() {
    let (_directory, database, python) = test_paths();
    let path = wnm_host::files::beside(&database, ".lock");
    std::fs::write(&path, "4242\n1762990000\nwnm --daemon\n").unwrap();
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.lock().unwrap();
    // A process that inherits the open file also holds its flock.
    let mut holder = Command::new("sleep")
        .arg("600")
        .stdin(Stdio::from(file))
        .spawn()
        .unwrap();
    let message = refusal(&database, &python, NOW);
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_snapshot!(message, @"another wnm (pid 4242, since 23:26:40 UTC, `wnm --daemon`) is working on DIR/colony.db");
    ColonyLock::acquire(&database, &python, NOW).unwrap();
}

#[test]
fn a_holder_without_readable_identity_has_just_started() {
    let (_directory, database, python) = test_paths();
    let path = wnm_host::files::beside(&database, ".lock");
    for content in ["", "x\ny\nz\n", "12\n"] {
        std::fs::write(&path, content).unwrap();
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.lock().unwrap();
        assert_eq!(
            refusal(&database, &python, NOW),
            "another wnm (just started) is working on DIR/colony.db"
        );
    }
}

#[test]
fn a_command_line_is_one_short_line() {
    let arguments = [
        "/usr/bin/wnm",
        "--report",
        "a\nb\u{1b}[2J",
        &"x".repeat(999),
    ]
    .map(str::to_owned);
    let line = command_line(&arguments);
    assert!(line.starts_with("wnm --report a b [2J xxx"), "{line}");
    assert_eq!(line.chars().count(), COMMAND_LIMIT);
}

#[test]
fn a_python_lock_is_respected_for_an_hour() {
    let (_directory, database, python) = test_paths();
    std::fs::write(&python, "1763000000").unwrap();
    assert_snapshot!(refusal(&database, &python, NOW.plus(Seconds(600))), @"the Python wnm is at work according to its lock DIR/wnm_active (since 02:13:20 UTC)");
    refusal(&database, &python, NOW.plus(Seconds(3599)));
    // The clock was set back a little.
    refusal(&database, &python, UnixTime(NOW.0 - 60));
    let late = ColonyLock::acquire(&database, &python, NOW.plus(Seconds(3600))).unwrap();
    assert_eq!(late.stale_python_lock.as_deref(), Some(python.as_path()));
    assert!(python.exists());
}

#[test]
fn a_python_lock_without_a_time_counts_from_its_modification() {
    let (_directory, database, python) = test_paths();
    std::fs::write(&python, "").unwrap();
    let written = std::fs::metadata(&python).unwrap().modified().unwrap();
    let written = written
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let written = UnixTime(i64::try_from(written).unwrap());
    refusal(&database, &python, written.plus(Seconds(60)));
    for content in ["", "1"] {
        std::fs::write(&python, content).unwrap();
        let lock = ColonyLock::acquire(&database, &python, written.plus(Seconds(7200))).unwrap();
        assert!(lock.stale_python_lock.is_some(), "{content}");
    }
}

#[test]
fn a_refusal_for_the_python_lock_frees_ours() {
    let (_directory, database, python) = test_paths();
    std::fs::write(&python, "1763000000").unwrap();
    refusal(&database, &python, NOW);
    std::fs::remove_file(&python).unwrap();
    ColonyLock::acquire(&database, &python, NOW).unwrap();
}

#[test]
fn the_error_names_a_lock_file_that_cannot_be_created() {
    let (_directory, database, python) = test_paths();
    let nowhere = database.join("missing/colony.db");
    let message = refusal(&nowhere, &python, NOW);
    assert!(
        message.starts_with("cannot lock DIR/colony.db.lock: "),
        "{message}"
    );
}
