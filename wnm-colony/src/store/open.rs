//! Creates and opens databases.

use std::path::Path;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use tempfile::TempDir;

use super::backup::back_up;
use super::connection::{OpenMode, begin_write, connect};
use super::error::{SqliteError, sqlite_error};
use super::file::{self, FileKind};
use super::migrations::migrate;
use super::schema::{Schema, inspect};
use super::{Access, Store, StoreError};
use wnm_core::quantity::{Seconds, UnixTime};

/// Creates a database. See [`Store::create`].
pub(super) async fn create(path: &Path, wait: Seconds) -> Result<Store, StoreError> {
    match file::kind(path) {
        Ok(FileKind::Empty) | Err(StoreError::Missing(_)) => {}
        Ok(FileKind::Database { .. }) | Err(StoreError::NotADatabase(_)) => {
            return Err(StoreError::Exists(path.to_owned()));
        }
        Err(error) => return Err(error),
    }
    let db = connect_to(path, OpenMode::Create, wait).await?;
    let updated = update(&db).await;
    let updated = updated.map_err(|error| StoreError::from_db(path, wait, error));
    into_store(path, db, updated, Access::ReadWrite, wait, None).await
}

/// Opens a database for writing. Migrates it if needed, and keeps a copy first.
pub(super) async fn for_writing(
    path: &Path,
    wait: Seconds,
    now: UnixTime,
) -> Result<Store, StoreError> {
    file::kind(path)?;
    if !file::is_writable(path) {
        return Err(StoreError::ReadOnly(path.to_owned()));
    }
    let db = connect_to(path, OpenMode::Write, wait).await?;
    let ready = prepare(&db, path, wait, Some(now)).await;
    into_store(path, db, ready, Access::ReadWrite, wait, None).await
}

/// Opens a database for reading. Reads it in place if that leaves no trace, or else reads a copy.
pub(super) async fn for_viewing(path: &Path, wait: Seconds) -> Result<Store, StoreError> {
    let kind = file::kind(path)?;
    let in_place = match mode_in_place(path, kind) {
        Some(mode) => view_in_place(path, mode, wait).await?,
        None => None,
    };
    match in_place {
        Some(store) => Ok(store),
        None => view_copy(path, wait).await,
    }
}

/// How to read the file in place, or `None` if it needs a copy.
///
/// Readers of a database with a write-ahead log need that log and its index beside the database.
/// Only a handle that may write removes these files afterwards. But it would also move the content
/// of a leftover log into the database, so if there is a log, a read-only handle is used.
fn mode_in_place(path: &Path, kind: FileKind) -> Option<OpenMode> {
    match kind {
        FileKind::Empty => None,
        FileKind::Database { wal: false } => Some(OpenMode::ReadOnly),
        FileKind::Database { wal: true } if wnm_host::files::beside(path, "-wal").exists() => {
            Some(OpenMode::ReadOnly)
        }
        FileKind::Database { wal: true } => file::is_writable(path).then_some(OpenMode::ReadTidily),
    }
}

/// Opens a view in place. `None` if the view needs a copy.
async fn view_in_place(
    path: &Path,
    mode: OpenMode,
    wait: Seconds,
) -> Result<Option<Store>, StoreError> {
    let db = match connect(path, mode, wait).await {
        Ok(db) => db,
        Err(error) if needs_copy(&error) => return Ok(None),
        Err(error) => return Err(StoreError::from_db(path, wait, error)),
    };
    let found = match inspect(&db).await {
        Ok(Schema::Current) => Ok(true),
        Ok(Schema::Newer(migration)) => Err(newer(path, migration)),
        Ok(Schema::Foreign) => Err(StoreError::NotAColony(path.to_owned())),
        Ok(Schema::Empty | Schema::Outdated) => Ok(false),
        Err(error) if needs_copy(&error) => Ok(false),
        Err(error) => Err(StoreError::from_db(path, wait, error)),
    };
    let in_place = matches!(found, Ok(true));
    let store = into_store(path, db, found.map(drop), Access::View, wait, None).await?;
    if in_place {
        return Ok(Some(store));
    }
    store.close().await?;
    Ok(None)
}

/// Whether reading failed only because nothing can be written here: a crash left a journal to roll
/// back, or a log without its index.
fn needs_copy(error: &DbErr) -> bool {
    matches!(
        sqlite_error(error),
        Some(SqliteError::ReadOnly | SqliteError::CannotOpen)
    )
}

async fn view_copy(path: &Path, wait: Seconds) -> Result<Store, StoreError> {
    let (directory, copy) = file::copy_to_temp(path).map_err(|source| StoreError::Copy {
        path: path.to_owned(),
        source,
    })?;
    let db = connect(&copy, OpenMode::Write, wait)
        .await
        .map_err(|error| StoreError::from_db(path, wait, error))?;
    let ready = prepare(&db, path, wait, None).await;
    into_store(path, db, ready, Access::View, wait, Some(directory)).await
}

async fn connect_to(
    path: &Path,
    mode: OpenMode,
    wait: Seconds,
) -> Result<DatabaseConnection, StoreError> {
    connect(path, mode, wait)
        .await
        .map_err(|error| StoreError::from_db(path, wait, error))
}

/// Checks that the database is a colony of this version or an older one, and updates it. If
/// `keep_copy` is given, keeps a copy with that time in its name before a migration.
async fn prepare(
    db: &DatabaseConnection,
    path: &Path,
    wait: Seconds,
    keep_copy: Option<UnixTime>,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::from_db(path, wait, error);
    match (inspect(db).await.map_err(failed)?, keep_copy) {
        (Schema::Newer(migration), _) => return Err(newer(path, migration)),
        (Schema::Foreign, _) => return Err(StoreError::NotAColony(path.to_owned())),
        (Schema::Outdated, Some(now)) => {
            let copy = back_up(db, path, now).await?;
            tracing::info!("kept a copy of {} as {}", path.display(), copy.display());
        }
        (Schema::Outdated, None) | (Schema::Empty | Schema::Current, _) => {}
    }
    update(db).await.map_err(failed)
}

/// Applies missing migrations and turns the write-ahead log on, so reports can read while a cycle
/// writes.
async fn update(db: &DatabaseConnection) -> Result<(), DbErr> {
    if inspect(db).await? != Schema::Current {
        let transaction = begin_write(db).await?;
        migrate(&transaction).await?;
        transaction.commit().await?;
    }
    match db.execute_unprepared("PRAGMA journal_mode = WAL").await {
        // Another program is reading. The database works without the log; the next run tries again.
        Err(error) if sqlite_error(&error) == Some(SqliteError::Busy) => Ok(()),
        result => result.map(drop),
    }
}

fn newer(path: &Path, migration: String) -> StoreError {
    StoreError::Newer {
        path: path.to_owned(),
        migration,
    }
}

/// The store if it is ready. Otherwise closes the database and returns the error.
async fn into_store(
    path: &Path,
    db: DatabaseConnection,
    ready: Result<(), StoreError>,
    access: Access,
    wait: Seconds,
    copy: Option<TempDir>,
) -> Result<Store, StoreError> {
    let store = Store {
        path: path.to_owned(),
        db,
        access,
        wait,
        _copy: copy,
    };
    match ready {
        Ok(()) => Ok(store),
        Err(error) => {
            if let Err(second) = store.close().await {
                tracing::debug!("{second}");
            }
            Err(error)
        }
    }
}
