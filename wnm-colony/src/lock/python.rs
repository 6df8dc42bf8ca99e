//! The lock of the Python wnm: a file `wnm_active` with the time, in seconds since 1970, at which a run began.
//! It names no process, and nobody but that run removes it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::LockError;
use wnm_core::doctor::PYTHON_LOCK_VALID;
use wnm_core::quantity::UnixTime;

/// Most bytes that are read: ten digits are written.
const CONTENT_LIMIT: u64 = 64;

/// Refuses while the lock can be that of a living run. Returns the file when it is there and cannot.
pub(super) fn check(path: &Path, now: UnixTime) -> Result<Option<PathBuf>, LockError> {
    let Some(begun) = begun_at(path).map_err(|source| LockError::Io {
        path: path.to_owned(),
        source,
    })?
    else {
        return Ok(None);
    };
    let age = now.since(begun);
    // One far ahead of the clock tells nothing about a run that can still be on.
    let ahead = begun.since(now);
    if let Some(process) = crate::takeover::python::running(path) {
        return Err(LockError::PythonRuns {
            process,
            begun,
            now,
        });
    }
    if age < PYTHON_LOCK_VALID && ahead < PYTHON_LOCK_VALID {
        return Err(LockError::Python {
            path: path.to_owned(),
            begun,
            now,
        });
    }
    Ok(Some(path.to_owned()))
}

/// When the run began: by what is written, or by the file's own time where that is no time.
pub(crate) fn begun_at(path: &Path) -> io::Result<Option<UnixTime>> {
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
