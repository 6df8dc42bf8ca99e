//! The copy that is kept before a database is migrated.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use super::StoreError;
use super::error::{Trouble, trouble};
use super::file::directory_of;
use wnm_core::quantity::{Seconds, UnixTime};
use wnm_host::files::beside;

/// How many seconds ahead a free name is looked for.
const NAMES_TRIED: u64 = 60;

/// Writes a consistent copy to `<name>.backup-<unix time>` beside the database and returns its path. Never
/// overwrites: a name that is taken gives way to the next second.
pub(super) async fn back_up(
    db: &DatabaseConnection,
    path: &Path,
    now: UnixTime,
) -> Result<PathBuf, StoreError> {
    let failed = |source| StoreError::Backup {
        path: path.to_owned(),
        source,
    };
    let target = claim(path, now).map_err(failed)?;
    let copied = copy(db, path, &target).await;
    if copied.is_err() {
        // A part of a copy must not be taken for one.
        if let Err(error) = std::fs::remove_file(&target) {
            tracing::warn!("cannot remove the unfinished {}: {error}", target.display());
        }
    }
    copied.map(|()| target)
}

/// Makes an empty file with the permissions of the original, which nobody else has then.
fn claim(path: &Path, now: UnixTime) -> io::Result<PathBuf> {
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    for seconds in 0..NAMES_TRIED {
        let target = beside(path, &format!(".backup-{}", now.plus(Seconds(seconds))));
        match options.open(&target) {
            Ok(_) => return Ok(target),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        "every name for it is taken",
    ))
}

async fn copy(db: &DatabaseConnection, path: &Path, target: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Backup {
        path: path.to_owned(),
        source,
    };
    let name = target
        .to_str()
        .ok_or_else(|| failed(io::Error::other("its path is not UTF-8")))?;
    let statement =
        Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [name.into()]);
    db.execute_raw(statement)
        .await
        .map_err(|error| match trouble(&error) {
            Some(Trouble::Full) => StoreError::DiskFull(target.to_owned()),
            _ => failed(io::Error::other(error)),
        })?;
    // SQLite does not sync what it vacuums into.
    File::open(target)
        .and_then(|file| file.sync_all())
        .and_then(|()| File::open(directory_of(target))?.sync_all())
        .map_err(failed)
}
