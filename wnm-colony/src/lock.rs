//! Allows one run at a time per database, with a kernel lock that ends with its process.

mod python;

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use wnm_core::quantity::{Seconds, UnixTime};

pub(crate) use python::started_at as python_run_started;

/// How many bytes of a lock file to read. A run writes far fewer.
const CONTENT_LIMIT: u64 = 4096;

/// How many characters of a command line to keep: enough to recognise it in one line of a message.
const COMMAND_LIMIT: usize = 160;

/// The exclusive right to work on one database. Ends when it is dropped or its process ends.
///
/// The kernel lock is on the file `<database>.lock`. The file stays; it means nothing without a
/// process that holds the lock.
#[derive(Debug)]
pub struct ColonyLock {
    _file: File,
    /// The lock file that an ended run of the Python wnm left behind. wnm ignores the file; the
    /// Python wnm refuses to run until it is deleted.
    pub stale_python_lock: Option<PathBuf>,
}

/// The process that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The process id.
    pub pid: u32,
    /// When the process took the lock.
    pub since: UnixTime,
    /// Its command line, shortened to one line.
    pub command: String,
}

/// Why the lock on a database cannot be taken.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another run of wnm holds the lock.
    #[error("another wnm ({}) is working on {}", HolderText { holder, now: *now }, database.display())]
    Held {
        /// The database.
        database: PathBuf,
        /// The other run. `None` if it has not written its process id yet.
        holder: Option<Holder>,
        /// When this run asked for the lock.
        now: UnixTime,
    },
    /// The Python wnm has a recent lock file. It is running, or a run ended without removing the
    /// file.
    #[error(
        "the Python wnm is at work according to its lock {} ({})",
        path.display(), Since { start: *started_at, now: *now }
    )]
    PythonLock {
        /// The lock file of the Python wnm.
        path: PathBuf,
        /// When its run started.
        started_at: UnixTime,
        /// When this run asked for the lock.
        now: UnixTime,
    },
    /// A process of the Python wnm is running, however old its lock file is.
    #[error(
        "the Python wnm is at work (process {pid}, {}); wait until it ends",
        Since { start: *started_at, now: *now }
    )]
    PythonRunning {
        /// The process id.
        pid: i32,
        /// When its run started.
        started_at: UnixTime,
        /// When this run asked for the lock.
        now: UnixTime,
    },
    /// The lock file cannot be created or locked, or the one of the Python wnm cannot be read.
    #[error("cannot lock {}: {source}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl ColonyLock {
    /// Takes the lock, or fails at once and names the holder.
    ///
    /// `python_lock` is the lock file of the Python wnm for this mode. wnm respects that file but
    /// never creates it: it would outlive a crash and keep the Python wnm from running.
    pub fn acquire(
        database: &Path,
        python_lock: &Path,
        now: UnixTime,
    ) -> Result<ColonyLock, LockError> {
        let path = wnm_host::files::beside(database, ".lock");
        let failed = |source| LockError::Io {
            path: path.clone(),
            source,
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held {
                    database: database.to_owned(),
                    holder: read_holder(&file),
                    now,
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let stale_python_lock = python::check(python_lock, now)?;
        write_holder(&file, now).map_err(failed)?;
        Ok(ColonyLock {
            _file: file,
            stale_python_lock,
        })
    }
}

/// Writes the identity of this process. Only messages use it, so a partial write does no harm.
fn write_holder(mut file: &File, now: UnixTime) -> io::Result<()> {
    file.set_len(0)?;
    let arguments: Vec<String> = std::env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let pid = std::process::id();
    let command = command_line(&arguments);
    file.write_all(format!("{pid}\n{now}\n{command}\n").as_bytes())
}

/// The arguments as one line, with the program's file name only.
fn command_line(arguments: &[String]) -> String {
    let program = arguments.first().map(Path::new).and_then(Path::file_name);
    let program = program.map(|name| name.to_string_lossy().into_owned());
    let line = program
        .into_iter()
        .chain(arguments.iter().skip(1).cloned())
        .collect::<Vec<_>>()
        .join(" ");
    line.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(COMMAND_LIMIT)
        .collect()
}

fn read_holder(file: &File) -> Option<Holder> {
    let mut content = Vec::new();
    file.take(CONTENT_LIMIT).read_to_end(&mut content).ok()?;
    let content = String::from_utf8_lossy(&content);
    let mut lines = content.lines();
    Some(Holder {
        pid: lines.next()?.parse().ok()?,
        since: UnixTime(lines.next()?.parse().ok()?),
        command: command_line(
            &lines
                .next()?
                .split(' ')
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        ),
    })
}

/// Displays a holder in a message.
struct HolderText<'a> {
    holder: &'a Option<Holder>,
    now: UnixTime,
}

impl fmt::Display for HolderText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Holder {
            pid,
            since,
            command,
        }) = self.holder
        else {
            return f.write_str("just started");
        };
        let since = Since {
            start: *since,
            now: self.now,
        };
        write!(f, "pid {pid}, {since}, `{command}`")
    }
}

/// Displays how long something has run: the time of day it started, or the duration if that is a
/// day or more. A time of day stays the same in repeated messages.
struct Since {
    start: UnixTime,
    now: UnixTime,
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: i64 = 86_400;
        let span = self.now.since(self.start);
        if span < Seconds(DAY.unsigned_abs()) {
            let time = self.start.0.rem_euclid(DAY);
            let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
            write!(f, "since {hour:02}:{minute:02}:{second:02} UTC")
        } else {
            write!(f, "for {span}")
        }
    }
}

#[cfg(test)]
mod tests;
