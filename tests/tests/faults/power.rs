//! The machine goes off in the middle of an operation and comes up with what was on its disk.
//!
//! The program is stopped first, so that the copy is of one moment. Nothing that it wrote is missing from the copy:
//! what a disk loses of writes that were not synced is not tried.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use wnm_tests::call::{Background, Outcome};
use wnm_tests::colony::Colony;
use wnm_tests::wait::{LONG, until};

/// Files and directories that a machine keeps, as far as they are there.
const KEPT: [&str; 4] = ["colony.db", "colony.db-wal", "colony.db-shm", "nodes"];

/// What is not on any disk: an index that SQLite keeps in memory it shares, written as a file.
const IN_MEMORY: &str = "colony.db-shm";

/// Cuts the power of a colony while `operation` is under way.
pub fn cut(colony: &Colony, operation: Background) -> Outcome {
    // It may have ended.
    kill(Pid::from_raw(operation.pid()), Signal::SIGSTOP).ok();
    let copies = tempfile::tempdir().expect("no directory for the copy");
    for name in KEPT {
        let from = colony.dir().join(name);
        if from.exists() {
            copy(&from, copies.path());
        }
    }
    let outcome = operation.end_with(Signal::SIGKILL);
    until(LONG, "the end of every process", || {
        let processes = colony.processes();
        for process in &processes {
            process.signal(Signal::SIGKILL);
        }
        // A child on its way to be a node still has the lock.
        processes.is_empty() && is_free(&colony.dir().join("colony.db.lock"))
    });
    for name in KEPT {
        let (to, from) = (colony.dir().join(name), copies.path().join(name));
        remove(&to);
        if from.exists() && name != IN_MEMORY {
            copy(&from, colony.dir());
        }
    }
    outcome
}

fn is_free(lock: &Path) -> bool {
    let file = File::options().write(true).open(lock);
    file.expect("there is no lock").try_lock().is_ok()
}

fn copy(from: &Path, into: &Path) {
    let status = Command::new("cp").arg("-a").args([from, into]).status();
    assert!(status.expect("cp cannot be run").success(), "{from:?}");
}

fn remove(path: &Path) {
    let removed = match path.is_dir() {
        true => std::fs::remove_dir_all(path),
        false if path.exists() => std::fs::remove_file(path),
        false => Ok(()),
    };
    removed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
