//! Keeps a copy of a database before a migration.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use super::StoreError;
use super::error::{SqliteError, sqlite_error};
use super::file::directory_of;
use wnm_core::quantity::{Seconds, UnixTime};
use wnm_host::files::beside;

/// How many names to try, one per second from now. Two migrations within a minute are already rare.
const MAX_NAMES: u64 = 60;

/// Writes a consistent copy to `<name>.backup-<unix time>` beside the database and returns its
/// path. Never overwrites a file: if the name is taken, uses the next second.
pub(super) async fn back_up(
    db: &DatabaseConnection,
    path: &Path,
    now: UnixTime,
) -> Result<PathBuf, StoreError> {
    let failed = |source| StoreError::Backup {
        path: path.to_owned(),
        source,
    };
    let target = create_target(path, now).map_err(failed)?;
    let copied = copy(db, path, &target).await;
    if copied.is_err() {
        // A partial copy must not look like a backup.
        if let Err(error) = std::fs::remove_file(&target) {
            tracing::warn!(
                "cannot remove the incomplete copy {}: {error}",
                target.display()
            );
        }
    }
    copied.map(|()| target)
}

/// Creates an empty file with the permissions of the original. The name is then reserved for this
/// copy.
fn create_target(path: &Path, now: UnixTime) -> io::Result<PathBuf> {
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    for seconds in 0..MAX_NAMES {
        let target = beside(path, &format!(".backup-{}", now.plus(Seconds(seconds))));
        match options.open(&target) {
            Ok(_) => return Ok(target),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        "all names for the copy are taken",
    ))
}

async fn copy(db: &DatabaseConnection, path: &Path, target: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Backup {
        path: path.to_owned(),
        source,
    };
    let name = target
        .to_str()
        .ok_or_else(|| failed(io::Error::other("the path of the copy is not UTF-8")))?;
    let statement =
        Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [name.into()]);
    db.execute_raw(statement)
        .await
        .map_err(|error| match sqlite_error(&error) {
            Some(SqliteError::Full) => StoreError::DiskFull(target.to_owned()),
            _ => failed(io::Error::other(error)),
        })?;
    // SQLite does not sync the target of VACUUM INTO.
    File::open(target)
        .and_then(|file| file.sync_all())
        .and_then(|()| File::open(directory_of(target))?.sync_all())
        .map_err(failed)
}
