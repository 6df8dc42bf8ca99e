//! A small disk for one run, to fill it or to make it read-only. It is mounted in a mount namespace of the run's
//! thread, so only the run sees it, and it is gone with the thread however the run ends.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::statvfs::statvfs;
use wnm_tests::{real, wait};

/// Room for eight simulated nodes with a new and a previous program each, and a database, in mebibytes.
pub const SMALL: u32 = 96;

/// The longest time that something may hold the disk after all its users have ended.
const FREE_WITHIN: Duration = Duration::from_secs(30);

const NOTHING: Option<&str> = None;

/// Whether this user may mount anything. Otherwise says that the test is skipped.
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

/// Mounts a disk of so many mebibytes and calls `run` with its directory.
pub fn with_disk(mebibytes: u32, run: impl FnOnce(&Path) + Send) {
    let ended = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNS).expect("no mounts of its own");
            let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            mount(NOTHING, "/", NOTHING, private, NOTHING).expect("mounts are not private");
            let disk = Disk::mounted(mebibytes);
            run(disk.place.path());
        });
        thread.join()
    });
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

struct Disk {
    place: tempfile::TempDir,
}

impl Disk {
    fn mounted(mebibytes: u32) -> Self {
        let place = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir()
            .expect("no directory for a disk");
        let size = format!("size={mebibytes}m");
        let disk = Some("tmpfs");
        mount(
            disk,
            place.path(),
            disk,
            MsFlags::empty(),
            Some(size.as_str()),
        )
        .expect("no small disk");
        Self { place }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount(self.place.path());
    }
}

/// Its user has just ended, and the kernel takes a moment to notice.
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

/// A disk that is nearly full: it was made smaller, which has the same effect and takes no memory.
pub struct Filled {
    place: PathBuf,
    whole: u64,
}

impl Filled {
    /// Leaves `bytes` free on the disk that is mounted on `place`.
    pub fn up_to(place: &Path, bytes: u64) -> Self {
        let (whole, used) = size(place);
        let filled = Self {
            place: place.to_owned(),
            whole,
        };
        // Concurrent writes may take more than that.
        let mut used = used;
        wait::until(wait::LONG, "a disk with little left", || {
            let resized = filled.resize(used + bytes);
            used = size(place).1;
            resized.is_ok()
        });
        filled
    }

    fn resize(&self, bytes: u64) -> nix::Result<()> {
        let size = format!("size={bytes}");
        let anew = MsFlags::MS_REMOUNT;
        mount(NOTHING, &self.place, NOTHING, anew, Some(size.as_str()))
    }
}

/// Bytes of a disk: all of it, and what is in use.
fn size(place: &Path) -> (u64, u64) {
    let output = statvfs(place).expect("a disk tells its size");
    let whole = output.blocks() * output.fragment_size();
    (whole, whole - output.blocks_free() * output.fragment_size())
}

impl Drop for Filled {
    fn drop(&mut self) {
        let whole = self.resize(self.whole);
        if !std::thread::panicking() {
            whole.expect("a disk as large as it was");
        }
    }
}

/// Makes a directory read-only. Open files stay writable.
pub fn make_read_only(dir: &Path) {
    mount(Some(dir), dir, NOTHING, MsFlags::MS_BIND, NOTHING).expect("no second mount");
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    mount(NOTHING, dir, NOTHING, flags, NOTHING).expect("the mount stays writable");
}

/// Reverts [`make_read_only`].
pub fn make_writable(dir: &Path) {
    unmount(dir);
}
