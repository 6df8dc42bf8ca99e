//! A power cut of a machine with an engine.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::mount::{MntFlags, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Engine;
use crate::processes;
use crate::wait::{LONG, until};

/// What a machine's engine keeps in memory.
const IN_MEMORY: [&str; 3] = ["run", "pid", "docker.sock"];

impl Engine {
    /// Kills the engine and everything that it runs at one moment, deletes what is not on a disk, and starts it again.
    pub fn cut_power(&mut self) {
        let mut stopped = BTreeSet::new();
        // A stopped process starts no others, so this finds all.
        until(LONG, "everything to be stopped", || {
            let before = stopped.len();
            for pid in self.everything() {
                if stopped.insert(pid) {
                    signal(pid, Signal::SIGSTOP);
                }
            }
            stopped.len() == before
        });
        for pid in stopped {
            signal(pid, Signal::SIGKILL);
        }
        if let Some(mut daemon) = self.daemon.take() {
            daemon.wait().expect("the engine does not end");
        }
        until(LONG, "the end of everything", || {
            self.everything().is_empty()
        });
        for mount in mounts_below(self.dir.path()) {
            umount2(&mount, MntFlags::MNT_DETACH).expect("a mount of the engine stays");
        }
        for name in IN_MEMORY {
            forget(&self.dir.path().join(name));
        }
        self.start();
    }

    /// The engine's processes, and those of its containers.
    fn everything(&self) -> BTreeSet<i32> {
        let own = processes::naming(self.dir.path());
        let mut all: BTreeSet<i32> = own.into_iter().map(|process| process.pid).collect();
        let mut parents: Vec<i32> = all.iter().copied().collect();
        while let Some(parent) = parents.pop() {
            let children = processes::children(parent).into_iter();
            parents.extend(children.filter(|child| all.insert(*child)));
        }
        all
    }
}

fn signal(pid: i32, signal: Signal) {
    match kill(Pid::from_raw(pid), signal) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => panic!("cannot signal {pid}: {error}"),
    }
}

/// The mounts below a directory in this thread's namespace, the last one first.
fn mounts_below(dir: &Path) -> Vec<PathBuf> {
    let output = fs::read_to_string("/proc/thread-self/mountinfo").expect("no list of mounts");
    let places = output.lines().filter_map(|line| line.split(' ').nth(4));
    let mut mounts: Vec<PathBuf> = places.map(PathBuf::from).collect();
    mounts.retain(|mount| mount.starts_with(dir));
    mounts.reverse();
    mounts
}

fn forget(path: &Path) {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            panic!("{}: {error}", path.display())
        }
        _ => {}
    }
}
