//! A small disk of a run's own, to be filled and to be made read-only. Seen by the run alone: it is mounted in a
//! mount namespace of the run's thread, and gone with it however the run ends.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use wnm_tests::{real, wait};

/// Room for eight nodes with a new and a former program each, and a database.
const SIZE: &str = "size=96m";

/// Longest that something may still hold the disk once all that used it has ended.
const FREE_WITHIN: Duration = Duration::from_secs(30);

const NOTHING: Option<&str> = None;

/// Whether this user may mount anything. Otherwise the test is skipped with a word.
pub fn permitted() -> bool {
    let permitted = std::thread::scope(|scope| {
        let thread = scope.spawn(|| unshare(CloneFlags::CLONE_NEWNS).is_ok());
        thread.join().unwrap()
    });
    if !permitted {
        real::skip("a disk of its own needs the rights of root");
    }
    permitted
}

/// Calls `run` with the directory that a small disk is mounted on.
pub fn with_small(run: impl FnOnce(&Path) + Send) {
    let ended = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNS).expect("no mounts of its own");
            let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            mount(NOTHING, "/", NOTHING, private, NOTHING).expect("mounts are not private");
            let disk = Small::mounted();
            run(disk.place.path());
        });
        thread.join()
    });
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

struct Small {
    place: tempfile::TempDir,
}

impl Small {
    fn mounted() -> Self {
        let place = tempfile::tempdir().expect("no directory for a disk");
        let disk = Some("tmpfs");
        mount(disk, place.path(), disk, MsFlags::empty(), Some(SIZE)).expect("no small disk");
        Self { place }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        unmount(self.place.path());
    }
}

/// What used it has just ended, and the kernel takes a moment to notice.
fn unmount(place: &Path) {
    let gone = wait::found_within(FREE_WITHIN, || match umount2(place, MntFlags::empty()) {
        Err(Errno::EBUSY) => None,
        ended => Some(ended),
    });
    if !std::thread::panicking() {
        let ended = gone.unwrap_or(Err(Errno::EBUSY));
        ended.unwrap_or_else(|error| panic!("{} stays mounted: {error}", place.display()));
    }
}

/// A disk with next to nothing left on it.
pub struct Filled(PathBuf);

impl Filled {
    /// Fills the disk that `file` would be on, then leaves `bytes` of it.
    pub fn up_to(file: &Path, bytes: u64) -> Self {
        let filled = Self(file.to_owned());
        let mut fill = File::create(file).expect("nothing to fill the disk with");
        let filling = io::copy(&mut io::repeat(0), &mut fill);
        let full = filling.expect_err("no end of it");
        assert_eq!(full.raw_os_error(), Some(Errno::ENOSPC as i32), "{full}");
        let size = fill.metadata().unwrap().len();
        fill.set_len(size.saturating_sub(bytes)).unwrap();
        filled
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}

/// A directory that cannot be written in. What was open in it before stays open.
pub struct ReadOnly(PathBuf);

impl ReadOnly {
    pub fn at(dir: &Path) -> Self {
        mount(Some(dir), dir, NOTHING, MsFlags::MS_BIND, NOTHING).expect("no second mount");
        let read_only = Self(dir.to_owned());
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
        mount(NOTHING, dir, NOTHING, flags, NOTHING).expect("the mount stays writable");
        read_only
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        unmount(&self.0);
    }
}
