//! One run at a time on one database: a lock that the kernel holds for a process and drops with it.

mod python;

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use wnm_core::quantity::{Seconds, UnixTime};

pub(crate) use python::begun_at as python_run_begun;

/// Most bytes that are read of a lock file: what a run writes into it is far shorter.
const CONTENT_LIMIT: u64 = 4096;

/// Most characters that are kept of a command line: enough to recognise it, short enough for one line.
const COMMAND_LIMIT: usize = 160;

/// The right to work on one database, until it is dropped or its process ends, however it ends.
///
/// The lock is on the file `<database>.lock`, which stays where it is: without a process that holds it, it
/// means nothing.
#[derive(Debug)]
pub struct ColonyLock {
    _file: File,
    /// The lock file of a run of the Python wnm that must have ended without removing it. A warning: ours goes
    /// on, that program does not.
    pub stale_python_lock: Option<PathBuf>,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its process.
    pub pid: u32,
    /// Since when.
    pub since: UnixTime,
    /// What it was called as.
    pub command: String,
}

/// Why a database cannot be worked on now.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another run works on it.
    #[error("another wnm ({}) is working on {}", Words { holder, now: *now }, database.display())]
    Held {
        /// The database.
        database: PathBuf,
        /// The other run, unless it has not written yet who it is.
        holder: Option<Holder>,
        /// When it was asked for.
        now: UnixTime,
    },
    /// The Python wnm works, or a run of it ended without tidying up.
    #[error(
        "the Python wnm is at work by its lock {} ({}); if it is not, remove that with --remove-lockfile",
        path.display(), Since { begun: *begun, now: *now }
    )]
    Python {
        /// Its lock file.
        path: PathBuf,
        /// When its run began.
        begun: UnixTime,
        /// When the lock was asked for.
        now: UnixTime,
    },
    /// The Python wnm works, however old its lock is.
    #[error(
        "the Python wnm is at work (process {process}, {}); wait for its end",
        Since { begun: *begun, now: *now }
    )]
    PythonRuns {
        /// Its process.
        process: i32,
        /// When its run began.
        begun: UnixTime,
        /// When the lock was asked for.
        now: UnixTime,
    },
    /// The lock file cannot be made or locked.
    #[error("cannot lock {}: {source}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl ColonyLock {
    /// Takes the lock at once or says who has it. `python_lock` is where the Python wnm keeps its own for
    /// this mode; ours does not make that file, as it would outlive a crash and keep that program out.
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

/// Writes who this process is. It is for people only, so that a part of it does no harm.
fn write_holder(mut file: &File, now: UnixTime) -> io::Result<()> {
    file.set_len(0)?;
    let words: Vec<String> = std::env::args_os()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let pid = std::process::id();
    let command = command_line(&words);
    file.write_all(format!("{pid}\n{now}\n{command}\n").as_bytes())
}

/// The words as one line, the program without its directory.
fn command_line(words: &[String]) -> String {
    let program = words.first().map(Path::new).and_then(Path::file_name);
    let program = program.map(|name| name.to_string_lossy().into_owned());
    let line = program
        .into_iter()
        .chain(words.iter().skip(1).cloned())
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

/// What is known of a holder, for a message.
struct Words<'a> {
    holder: &'a Option<Holder>,
    now: UnixTime,
}

impl fmt::Display for Words<'_> {
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
            begun: *since,
            now: self.now,
        };
        write!(f, "pid {pid}, {since}, `{command}`")
    }
}

/// Since when something is going on. A time of the day, which stays the same from one call to the next, unless
/// that would not tell the day.
struct Since {
    begun: UnixTime,
    now: UnixTime,
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: i64 = 86_400;
        let span = self.now.since(self.begun);
        if span < Seconds(DAY.unsigned_abs()) {
            let time = self.begun.0.rem_euclid(DAY);
            let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
            write!(f, "since {hour:02}:{minute:02}:{second:02} UTC")
        } else {
            write!(f, "for {span}")
        }
    }
}

#[cfg(test)]
mod tests;
