//! Starts a process detached from wnm, its terminal and its session, so that it outlives all three.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Stdio;

use nix::libc;
use nix::sys::signal::{SigHandler, SigSet, Signal};
use tokio::process::Command;

/// How many descriptors to mark one by one where the kernel cannot mark all at once. Shells and cron leave only
/// small numbers open.
const DESCRIPTORS: i32 = 1024;

/// A program to start: path, arguments, additional environment, working directory.
#[derive(Debug, Clone)]
pub(crate) struct LaunchSpec {
    pub program: OsString,
    pub args: Vec<OsString>,
    pub env: Vec<(OsString, OsString)>,
    pub dir: std::path::PathBuf,
}

impl LaunchSpec {
    /// Builds the command. The process leads its own session, reads nothing, writes stdout and stderr to
    /// `output`, and inherits nothing but the environment.
    pub fn command(&self, output: &File) -> io::Result<Command> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .envs(self.env.iter().map(|(key, value)| (key, value)))
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output.try_clone()?);
        detach(&mut command);
        Ok(command)
    }
}

/// The program's path as messages show it.
pub(crate) fn display_name(path: &OsStr) -> String {
    Path::new(path).display().to_string()
}

#[allow(unsafe_code)]
fn detach(command: &mut Command) {
    // SAFETY: the closure runs in the child between fork and exec, where only async-signal-safe calls are
    // allowed. It makes system calls only, allocates nothing, takes no lock and captures nothing. It runs after
    // the standard library has set the child's streams, user and directory.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            reset_signals();
            mark_inherited_close_on_exec();
            Ok(())
        });
    }
}

/// Resets all signal dispositions and the mask, as after a fresh login. A shell starts background jobs with INT
/// and QUIT ignored, nohup ignores HUP, and a node would inherit both for life.
#[allow(unsafe_code)]
fn reset_signals() {
    for signal in Signal::iterator() {
        // SAFETY: sets the default disposition, so no handler of ours remains; KILL and STOP refuse the call.
        let _ = unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) };
    }
    let _ = SigSet::empty().thread_set_mask();
}

/// Marks every inherited descriptor close-on-exec. wnm may inherit a lock that `flock` holds in a crontab line,
/// and a node would hold it for ever. Marks instead of closing, because the standard library's pipe to the
/// parent is among them.
#[allow(unsafe_code)]
fn mark_inherited_close_on_exec() {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: a system call that takes only numbers.
        let result = unsafe {
            libc::syscall(
                libc::SYS_close_range,
                3,
                libc::c_uint::MAX,
                libc::CLOSE_RANGE_CLOEXEC,
            )
        };
        if result == 0 {
            return;
        }
    }
    for descriptor in 3..DESCRIPTORS {
        // SAFETY: a system call that takes only numbers; the kernel refuses a descriptor that is not open.
        let _ = unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}
