//! How a node ends. TERM, HUP and QUIT kill it, as they do by default; INT and a self-upgrade are taken in
//! by waiting for them, so that no code ever runs inside a signal handler.

use std::convert::Infallible;
use std::ffi::OsString;
use std::io;
use std::process::{Command, ExitCode};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};

use crate::node::complain;

/// Set for the process that takes over in a self-upgrade: its ports come free only when the old one is gone.
const TAKES_OVER: &str = "WNM_SIM_TAKES_OVER";

/// How long a process that takes over waits for its ports.
const TAKE_OVER_DEADLINE: Duration = Duration::from_secs(5);

/// Between two tries for a port; nothing tells when a port comes free.
const PORT_RETRY: Duration = Duration::from_millis(10);

/// Why a node ended.
#[derive(Debug)]
pub(crate) enum End {
    /// It could not go on: exit code 1.
    Failed(String),
    /// What the real program ends with by a panic: exit code 101.
    Panicked(String),
    /// Another process carries on: exit code 0.
    Replaced,
}

impl End {
    /// Says why on standard error and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            End::Failed(reason) => {
                complain(&format!("Error: {reason}"));
                ExitCode::FAILURE
            }
            End::Panicked(reason) => {
                complain(&format!(
                    "The application panicked (crashed).\nMessage:  {reason}"
                ));
                ExitCode::from(101)
            }
            End::Replaced => ExitCode::SUCCESS,
        }
    }
}

/// The signals a node waits for. Made before any thread, since each inherits what is held back.
pub(crate) struct Signals(SigSet);

/// What a signal asks for.
pub(crate) enum Asked {
    Interrupt,
    SelfUpgrade,
}

impl Signals {
    pub(crate) fn hold_back() -> io::Result<Self> {
        let mut set = SigSet::empty();
        set.add(Signal::SIGINT);
        set.add(Signal::SIGUSR1);
        set.thread_block()?;
        Ok(Self(set))
    }

    pub(crate) fn wait(&self) -> io::Result<Asked> {
        Ok(match self.0.wait()? {
            Signal::SIGUSR1 => Asked::SelfUpgrade,
            _ => Asked::Interrupt,
        })
    }
}

/// Starts the program again with the same arguments, under a new pid, from where it lies now. The caller has
/// to end, since it still has the ports.
pub(crate) fn replace(words: &[OsString]) -> io::Result<()> {
    Command::new(crate::trailer::own_path()?)
        .args(words)
        .env(TAKES_OVER, "1")
        .spawn()
        .map(drop)
}

/// Binds a port; when taking over from an old process, waits until it has let go.
pub(crate) fn bind<T>(bind: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let tries = if std::env::var_os(TAKES_OVER).is_some() {
        TAKE_OVER_DEADLINE.as_millis() / PORT_RETRY.as_millis()
    } else {
        0
    };
    for _ in 0..tries {
        match bind() {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                std::thread::sleep(PORT_RETRY);
            }
            done => return done,
        }
    }
    bind()
}

/// Ends the process with exit code 1 after a while.
pub(crate) fn end_after(delay: Duration) -> Infallible {
    std::thread::sleep(delay);
    std::process::exit(1)
}
