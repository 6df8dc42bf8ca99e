//! How the node process starts, takes over its ports and exits.
//!
//! TERM, HUP and QUIT keep their default action and kill the process. The main thread waits for INT and for
//! USR1 (self-upgrade), so no code runs inside a signal handler.

use std::convert::Infallible;
use std::ffi::OsString;
use std::io;
use std::process::{Command, ExitCode};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};

use crate::stderr::print_error;

/// Set for the successor in a self-upgrade: its ports become free only when the old process exits.
const SUCCESSOR_VARIABLE: &str = "WNM_SIM_TAKES_OVER";

/// How long a successor waits for its ports.
const BIND_DEADLINE: Duration = Duration::from_secs(5);

/// Pause between two attempts to bind. Nothing signals that a port became free.
const BIND_RETRY: Duration = Duration::from_millis(10);

/// Why the node exits.
#[derive(Debug)]
pub(crate) enum ExitReason {
    /// An error: exit code 1.
    Failed(String),
    /// A panic in the real program: exit code 101.
    Panicked(String),
    /// A successor continues: exit code 0.
    Replaced,
}

impl ExitReason {
    /// Prints the reason on standard error and returns the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            ExitReason::Failed(reason) => {
                print_error(&format!("Error: {reason}"));
                ExitCode::FAILURE
            }
            ExitReason::Panicked(reason) => {
                print_error(&format!(
                    "The application panicked (crashed).\nMessage:  {reason}"
                ));
                ExitCode::from(101)
            }
            ExitReason::Replaced => ExitCode::SUCCESS,
        }
    }
}

/// The signals that the node waits for. Create it before any thread: threads inherit the signal mask.
pub(crate) struct Signals(SigSet);

/// What a signal asks the node to do.
pub(crate) enum SignalRequest {
    Interrupt,
    SelfUpgrade,
}

impl Signals {
    pub(crate) fn block() -> io::Result<Self> {
        let mut set = SigSet::empty();
        set.add(Signal::SIGINT);
        set.add(Signal::SIGUSR1);
        set.thread_block()?;
        Ok(Self(set))
    }

    pub(crate) fn wait(&self) -> io::Result<SignalRequest> {
        Ok(match self.0.wait()? {
            Signal::SIGUSR1 => SignalRequest::SelfUpgrade,
            _ => SignalRequest::Interrupt,
        })
    }
}

/// Starts the current executable file with the same arguments, as a new process. The caller must exit: it
/// still holds the ports.
pub(crate) fn spawn_successor(args: &[OsString]) -> io::Result<()> {
    Command::new(crate::trailer::own_path()?)
        .args(args)
        .env(SUCCESSOR_VARIABLE, "1")
        .spawn()
        .map(drop)
}

/// Binds a port. A successor retries until the old process has released it.
pub(crate) fn bind<T>(bind: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let retries = if std::env::var_os(SUCCESSOR_VARIABLE).is_some() {
        BIND_DEADLINE.as_millis() / BIND_RETRY.as_millis()
    } else {
        0
    };
    for _ in 0..retries {
        match bind() {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                std::thread::sleep(BIND_RETRY);
            }
            result => return result,
        }
    }
    bind()
}

/// Exits with code 1 after `delay`.
pub(crate) fn exit_after(delay: Duration) -> Infallible {
    std::thread::sleep(delay);
    std::process::exit(1)
}
