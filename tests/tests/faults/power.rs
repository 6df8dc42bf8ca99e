//! Cuts the power in the middle of an operation, and boots with what was on the disk.
//!
//! A manager without its own machine is stopped first, together with the program, so that a copy of the disk is
//! consistent. Nothing that was written gets lost: writes that were not synced are not tested.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use wnm_tests::call::{Background, Outcome};
use wnm_tests::processes;
use wnm_tests::wait::{LONG, until};

/// The files of the database. Some may be missing.
const DATABASE: [&str; 3] = ["colony.db", "colony.db-wal", "colony.db-shm"];

/// A file in which SQLite keeps its shared memory. No disk has it.
const IN_MEMORY: &str = "colony.db-shm";

/// A colony whose power is cut by copying its disk.
pub trait PowerByCopy {
    /// The colony's directories on the disk.
    fn kept(&self) -> &[&str];

    /// Stops all other processes that write there.
    fn stop(&self) {}

    /// Ends all processes outside of the colony's directory, and deletes what is only in memory.
    fn off(&self) {}

    /// Starts what starts at boot.
    fn on(&self) {}
}

/// Cuts the power of the colony in `dir` while `operation` is under way.
pub fn cut(dir: &Path, power: &dyn PowerByCopy, operation: Background) -> Outcome {
    // It may have ended.
    kill(Pid::from_raw(operation.pid()), Signal::SIGSTOP).ok();
    power.stop();
    let copies = tempfile::tempdir().expect("no directory for the copy");
    let kept = || DATABASE.iter().chain(power.kept());
    for name in kept() {
        let from = dir.join(name);
        if from.exists() {
            copy(&from, copies.path());
        }
    }
    let outcome = operation.end_with(Signal::SIGKILL);
    power.off();
    until(LONG, "the end of every process", || {
        let processes = processes::below(dir);
        for process in &processes {
            process.signal(Signal::SIGKILL);
        }
        // A child that is about to become a node still has the lock.
        processes.is_empty() && is_free(&dir.join("colony.db.lock"))
    });
    for name in kept() {
        let (to, from) = (dir.join(name), copies.path().join(name));
        remove(&to);
        if from.exists() && *name != IN_MEMORY {
            copy(&from, dir);
        }
    }
    power.on();
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
