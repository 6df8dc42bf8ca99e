//! A process that outlives wnm, its terminal and the session it was started from.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Stdio;

use nix::libc;
use nix::sys::signal::{SigHandler, SigSet, Signal};
use tokio::process::Command;

/// Descriptors looked at where the kernel cannot mark all at once. What a shell or cron leaves open has a
/// small number.
const DESCRIPTORS: i32 = 1024;

/// What is to be run.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub program: OsString,
    pub args: Vec<OsString>,
    pub env: Vec<(OsString, OsString)>,
    pub dir: std::path::PathBuf,
}

impl Order {
    /// A command for it: a session of its own, no input, output to `output`, nothing inherited but the
    /// environment.
    pub fn command(&self, output: &File) -> io::Result<Command> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .envs(self.env.iter().map(|(key, value)| (key, value)))
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output.try_clone()?);
        leave_session(&mut command);
        Ok(command)
    }
}

/// What of a path is a program's name in messages.
pub(crate) fn name(path: &OsStr) -> String {
    Path::new(path).display().to_string()
}

#[allow(unsafe_code)]
fn leave_session(command: &mut Command) {
    // SAFETY: the closure runs in the child between fork and exec, where only async-signal-safe calls are
    // allowed: it makes system calls alone, allocates nothing and takes no lock. It captures nothing. It runs
    // after the standard library has set the child's streams, user and directory.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            forget_signals();
            keep_descriptors_out();
            Ok(())
        });
    }
}

/// Signals as in a fresh login: a shell starts background jobs with INT and QUIT ignored and nohup ignores
/// HUP, and both would be handed down for the node's whole life.
#[allow(unsafe_code)]
fn forget_signals() {
    for signal in Signal::iterator() {
        // SAFETY: sets the default disposition, no handler of ours is left to run; KILL and STOP refuse it.
        let _ = unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) };
    }
    let _ = SigSet::empty().thread_set_mask();
}

/// Closes at exec whatever wnm inherited and did not open itself, as the lock that `flock` holds on a
/// descriptor in a crontab line: a node would hold it for ever. The standard library's own pipe to the parent
/// is among them, so they are marked and not closed.
#[allow(unsafe_code)]
fn keep_descriptors_out() {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: a system call on numbers alone.
        let marked = unsafe {
            libc::syscall(
                libc::SYS_close_range,
                3,
                libc::c_uint::MAX,
                libc::CLOSE_RANGE_CLOEXEC,
            )
        };
        if marked == 0 {
            return;
        }
    }
    for descriptor in 3..DESCRIPTORS {
        // SAFETY: a system call on a number; one that is not open is refused.
        let _ = unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}
