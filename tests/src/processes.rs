//! The processes of a test, found by what they run and not by their names.

use std::ffi::OsString;
#[cfg(target_os = "linux")]
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::wait;

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// The file that it runs. It may have been deleted.
    pub exe: PathBuf,
    /// Its arguments, the program's name first.
    pub args: Vec<OsString>,
}

impl Process {
    /// Sends it a signal. It may have ended already.
    pub fn signal(&self, signal: Signal) {
        match kill(Pid::from_raw(self.pid), signal) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => panic!("cannot signal {self:?}: {error}"),
        }
    }

    /// Kills it as an accident would, and returns once it is gone.
    pub fn kill(&self) {
        self.signal(Signal::SIGKILL);
        wait::until(wait::LONG, "a killed process to be gone", || {
            !all().contains(self)
        });
    }

    /// The directory given by `--root-dir`.
    pub fn root_dir(&self) -> Option<&Path> {
        let at = self.args.iter().position(|arg| arg == "--root-dir")?;
        self.args.get(at + 1).map(Path::new)
    }

    fn belongs_to(&self, dir: &Path) -> bool {
        self.exe.starts_with(dir) || self.root_dir().is_some_and(|root| root.starts_with(dir))
    }
}

/// The processes that run a file below `dir`, or have a `--root-dir` there. Never the caller itself.
pub fn below(dir: &Path) -> Vec<Process> {
    let own = std::process::id().cast_signed();
    all()
        .into_iter()
        .filter(|process| process.pid != own && process.belongs_to(dir))
        .collect()
}

/// The processes with `dir`, or a path below it, in their arguments. Never the caller itself.
pub fn naming(dir: &Path) -> Vec<Process> {
    let own = std::process::id().cast_signed();
    let dir = dir.as_os_str().as_encoded_bytes();
    let names = |arg: &OsString| {
        let mut parts = arg.as_encoded_bytes().windows(dir.len());
        parts.any(|part| part == dir)
    };
    let mut processes = all();
    processes.retain(|process| process.pid != own && process.args.iter().any(names));
    processes
}

/// The children of a process.
#[cfg(target_os = "linux")]
pub fn children(parent: i32) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").expect("there is no /proc");
    entries
        .filter_map(|entry| {
            let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let after_name = stat.rsplit_once(')')?.1;
            let its_parent: i32 = after_name.split_whitespace().nth(1)?.parse().ok()?;
            (its_parent == parent).then_some(pid)
        })
        .collect()
}

/// All processes that this user may inspect. Leaves out those that end meanwhile.
#[cfg(target_os = "linux")]
fn all() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").expect("there is no /proc");
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let exe = std::fs::read_link(entry.path().join("exe")).ok()?;
            let args = std::fs::read(entry.path().join("cmdline")).ok()?;
            Some(Process {
                pid,
                exe: before_deletion(&exe),
                args: args
                    .split(|&byte| byte == 0)
                    .map(|arg| OsString::from_vec(arg.to_vec()))
                    .collect(),
            })
        })
        .collect()
}

/// Elsewhere `ps` reports the same, except for arguments with blanks in them.
#[cfg(not(target_os = "linux"))]
fn all() -> Vec<Process> {
    let output = std::process::Command::new("ps")
        .args(["-axww", "-o", "pid=,command="])
        .output()
        .expect("ps cannot be run");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let pid = words.next()?.parse().ok()?;
            let args: Vec<OsString> = words.map(OsString::from).collect();
            let exe = PathBuf::from(args.first()?);
            Some(Process { pid, exe, args })
        })
        .collect()
}

/// The path without the kernel's mark for a file that was replaced or removed.
#[cfg(target_os = "linux")]
fn before_deletion(exe: &Path) -> PathBuf {
    let bytes = exe.as_os_str().as_bytes();
    let bytes = bytes.strip_suffix(b" (deleted)").unwrap_or(bytes);
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}
