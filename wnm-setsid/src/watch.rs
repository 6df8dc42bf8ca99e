//! Holding on to a process: a signal that cannot meet another one under the same number, and the event of
//! its end.

use std::io;
use std::time::Duration;

use nix::sys::signal::Signal;
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
#[cfg(target_os = "linux")]
use tokio::io::{Interest, unix::AsyncFd};

use crate::process::Kin;
use crate::table::Table;

/// How often the end of a process is looked for where the system has no event for it: macOS and kernels
/// before 5.3. Short against a grace of seconds, long against the cost of one look.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A process that is held.
#[derive(Debug)]
pub(crate) struct Held {
    pub kin: Kin,
    #[cfg(target_os = "linux")]
    handle: Option<AsyncFd<OwnedFd>>,
}

impl Held {
    /// Takes hold of a process; `None` when it has ended. The handle is opened first and the start compared
    /// after it, so what is held is the process that was meant, whoever gets its number later.
    pub fn take(table: &Table, kin: Kin) -> io::Result<Option<Self>> {
        #[cfg(target_os = "linux")]
        let handle = match open(kin.pid)? {
            Opened::Handle(handle) => Some(handle),
            Opened::Ended => return Ok(None),
            Opened::Unsupported => None,
        };
        if table.start_of(kin.pid) != Some(kin.start) {
            return Ok(None);
        }
        Ok(Some(Self {
            kin,
            #[cfg(target_os = "linux")]
            handle,
        }))
    }

    /// Whether it still runs.
    pub fn runs(&self, table: &Table) -> bool {
        table.start_of(self.kin.pid) == Some(self.kin.start)
    }

    /// Sends a signal. A process that has ended needs none.
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
        if !self.runs(table) {
            return Ok(());
        }
        match nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.kin.pid), signal) {
            Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns once it has ended, whether or not its parent has collected it.
    pub async fn ended(&self, table: &Table) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if let Some(handle) = &self.handle {
            return handle.readable().await.map(|_| ());
        }
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            if !self.runs(table) {
                return Ok(());
            }
        }
    }
}

#[cfg(target_os = "linux")]
enum Opened {
    Handle(AsyncFd<OwnedFd>),
    Ended,
    /// The kernel has no such handles, or a filter around this process forbids them.
    Unsupported,
}

#[cfg(target_os = "linux")]
fn open(pid: i32) -> io::Result<Opened> {
    use rustix::io::Errno;
    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    let Some(pid) = Pid::from_raw(pid) else {
        return Ok(Opened::Ended);
    };
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(fd) => register(fd).map(Opened::Handle),
        Err(Errno::SRCH) => Ok(Opened::Ended),
        Err(Errno::NOSYS | Errno::PERM) => Ok(Opened::Unsupported),
        Err(error) => Err(error.into()),
    }
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn register(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an owned descriptor stays open and the same until it is dropped, and the registration that
    // takes it here is never split from it.
    let registered = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
    registered.map_err(|error| error.into_parts().1)
}
