//! Handles to processes: a signal cannot hit a later process with the same pid, and the exit is an event.

use std::io;
use std::time::Duration;

use nix::sys::signal::Signal;
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
#[cfg(target_os = "linux")]
use tokio::io::{Interest, unix::AsyncFd};

use crate::process_ref::ProcessRef;
use crate::table::Table;

/// How often to check for an exit where the system reports no event: macOS, and Linux before 5.3. Short
/// compared with a grace period of seconds, long compared with the cost of one check.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A handle to one process.
#[derive(Debug)]
pub(crate) struct ProcessHandle {
    pub id: ProcessRef,
    #[cfg(target_os = "linux")]
    handle: Option<AsyncFd<OwnedFd>>,
}

impl ProcessHandle {
    /// Opens a handle; `None` if the process has exited.
    ///
    /// Opens the pidfd first and compares the start time afterwards, so the handle refers to `process` even if
    /// the kernel reuses the pid.
    pub fn open(table: &Table, process: ProcessRef) -> io::Result<Option<Self>> {
        #[cfg(target_os = "linux")]
        let handle = match open(process.pid)? {
            PidfdResult::Handle(handle) => Some(handle),
            PidfdResult::Exited => return Ok(None),
            PidfdResult::Unsupported => None,
        };
        if table.start_time(process.pid) != Some(process.start) {
            return Ok(None);
        }
        Ok(Some(Self {
            id: process,
            #[cfg(target_os = "linux")]
            handle,
        }))
    }

    /// Whether the process still runs.
    pub fn is_running(&self, table: &Table) -> bool {
        table.start_time(self.id.pid) == Some(self.id.start)
    }

    /// Sends a signal. An exited process is not an error.
    pub fn signal(&self, table: &Table, signal: Signal) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if let Some(handle) = &self.handle {
            let number = rustix::process::Signal::from_named_raw(signal as i32)
                .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
            return match rustix::process::pidfd_send_signal(handle.get_ref(), number) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
                Err(error) => Err(error.into()),
            };
        }
        if !self.is_running(table) {
            return Ok(());
        }
        match nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.id.pid), signal) {
            Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until the process has exited, whether or not its parent has reaped it.
    pub async fn wait_for_exit(&self, table: &Table) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if let Some(handle) = &self.handle {
            return handle.readable().await.map(|_| ());
        }
        let mut interval = tokio::time::interval(POLL_INTERVAL);
        loop {
            interval.tick().await;
            if !self.is_running(table) {
                return Ok(());
            }
        }
    }
}

#[cfg(target_os = "linux")]
enum PidfdResult {
    Handle(AsyncFd<OwnedFd>),
    Exited,
    /// The kernel has no pidfds, or a seccomp filter forbids them.
    Unsupported,
}

#[cfg(target_os = "linux")]
fn open(pid: i32) -> io::Result<PidfdResult> {
    use rustix::io::Errno;
    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    let Some(pid) = Pid::from_raw(pid) else {
        return Ok(PidfdResult::Exited);
    };
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(fd) => register(fd).map(PidfdResult::Handle),
        Err(Errno::SRCH) => Ok(PidfdResult::Exited),
        Err(Errno::NOSYS | Errno::PERM) => Ok(PidfdResult::Unsupported),
        Err(error) => Err(error.into()),
    }
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn register(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an owned descriptor stays open and unchanged until it is dropped, and the registration that takes
    // ownership of it here is never split from it.
    let registered = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
    registered.map_err(|error| error.into_parts().1)
}
