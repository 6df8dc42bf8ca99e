//! The lock of the Python wnm: a file `wnm_active` with the start time of a run in seconds since
//! 1970.
//!
//! The file holds no process id, and only the run that wrote it removes it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::LockError;
use wnm_core::doctor::PYTHON_LOCK_VALID;
use wnm_core::quantity::UnixTime;

/// How many bytes to read. The Python wnm writes ten digits.
const CONTENT_LIMIT: u64 = 64;

/// Fails if the lock file may belong to a live run. Returns its path if it exists and cannot.
pub(super) fn check(path: &Path, now: UnixTime) -> Result<Option<PathBuf>, LockError> {
    let Some(started_at) = started_at(path).map_err(|source| LockError::Io {
        path: path.to_owned(),
        source,
    })?
    else {
        return Ok(None);
    };
    let age = now.since(started_at);
    // A start time far in the future does not prove a live run.
    let ahead = started_at.since(now);
    if let Some(pid) = crate::takeover::python::running(path) {
        return Err(LockError::PythonRunning {
            pid,
            started_at,
            now,
        });
    }
    if age < PYTHON_LOCK_VALID && ahead < PYTHON_LOCK_VALID {
        return Err(LockError::PythonLock {
            path: path.to_owned(),
            started_at,
            now,
        });
    }
    Ok(Some(path.to_owned()))
}

/// When the run started: the time in the file, or the file's modification time if it holds none.
/// `None` if there is no file.
pub(crate) fn started_at(path: &Path) -> io::Result<Option<UnixTime>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let modified = file.metadata()?.modified()?;
    let mut content = Vec::new();
    file.take(CONTENT_LIMIT).read_to_end(&mut content)?;
    let written = std::str::from_utf8(&content)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let modified = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Some(UnixTime(written.unwrap_or_else(|| {
        i64::try_from(modified.as_secs()).unwrap_or(i64::MAX)
    }))))
}
