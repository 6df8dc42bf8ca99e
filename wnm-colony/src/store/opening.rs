//! Opening and making databases.

use std::path::Path;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use tempfile::TempDir;

use super::backup::back_up;
use super::connection::{Way, begin_write, connect};
use super::error::{Trouble, trouble};
use super::file::{self, FileKind};
use super::migrations::migrate;
use super::schema::{Schema, inspect};
use super::{Access, Store, StoreError};
use wnm_core::quantity::{Seconds, UnixTime};

/// Makes a database. See [`Store::create`].
pub(super) async fn create(path: &Path, wait: Seconds) -> Result<Store, StoreError> {
    match file::look(path) {
        Ok(FileKind::Empty) | Err(StoreError::Missing(_)) => {}
        Ok(FileKind::Database { .. }) | Err(StoreError::NotADatabase(_)) => {
            return Err(StoreError::Exists(path.to_owned()));
        }
        Err(error) => return Err(error),
    }
    let db = connected(path, Way::Create, wait).await?;
    let made = finish(&db).await;
    let made = made.map_err(|error| StoreError::from_db(path, wait, error));
    settle(path, db, made, Access::ReadWrite, wait, None).await
}

/// Opens a database to write, after a copy and a migration where it needs one.
pub(super) async fn to_write(
    path: &Path,
    wait: Seconds,
    now: UnixTime,
) -> Result<Store, StoreError> {
    file::look(path)?;
    if !file::is_writable(path) {
        return Err(StoreError::ReadOnly(path.to_owned()));
    }
    let db = connected(path, Way::Write, wait).await?;
    let ready = make_ready(&db, path, wait, Some(now)).await;
    settle(path, db, ready, Access::ReadWrite, wait, None).await
}

/// Opens a database to look at it, in place if that can be done without a trace.
pub(super) async fn to_look(path: &Path, wait: Seconds) -> Result<Store, StoreError> {
    let kind = file::look(path)?;
    let in_place = match way_in_place(path, kind) {
        Some(way) => look_in_place(path, way, wait).await?,
        None => None,
    };
    match in_place {
        Some(store) => Ok(store),
        None => look_at_copy(path, wait).await,
    }
}

/// How the file can be read where it is.
///
/// A database with a write-ahead log is not read without that log and an index of it beside the database.
/// Only a handle that may write removes those after itself; but it would also move what is in a log that
/// someone left into the database, so that where there is a log, one that cannot write is taken.
fn way_in_place(path: &Path, kind: FileKind) -> Option<Way> {
    match kind {
        FileKind::Empty => None,
        FileKind::Database { wal: false } => Some(Way::LookOnly),
        FileKind::Database { wal: true } if wnm_host::files::beside(path, "-wal").exists() => {
            Some(Way::LookOnly)
        }
        FileKind::Database { wal: true } => file::is_writable(path).then_some(Way::LookTidily),
    }
}

/// Opens it in place; `None` when a copy has to be looked at instead.
async fn look_in_place(path: &Path, way: Way, wait: Seconds) -> Result<Option<Store>, StoreError> {
    let db = match connect(path, way, wait).await {
        Ok(db) => db,
        Err(error) if takes_a_copy(&error) => return Ok(None),
        Err(error) => return Err(StoreError::from_db(path, wait, error)),
    };
    let found = match inspect(&db).await {
        Ok(Schema::Current) => Ok(true),
        Ok(Schema::Newer(migration)) => Err(newer(path, migration)),
        Ok(Schema::Foreign) => Err(StoreError::NotAColony(path.to_owned())),
        Ok(Schema::Empty | Schema::Outdated) => Ok(false),
        Err(error) if takes_a_copy(&error) => Ok(false),
        Err(error) => Err(StoreError::from_db(path, wait, error)),
    };
    let in_place = matches!(found, Ok(true));
    let store = settle(path, db, found.map(drop), Access::View, wait, None).await?;
    if in_place {
        return Ok(Some(store));
    }
    store.close().await?;
    Ok(None)
}

/// Whether it is because nothing may be written here that the file cannot be read: a crash left a journal
/// to be played back, or a log without its index.
fn takes_a_copy(error: &DbErr) -> bool {
    matches!(
        trouble(error),
        Some(Trouble::ReadOnly | Trouble::CannotOpen)
    )
}

async fn look_at_copy(path: &Path, wait: Seconds) -> Result<Store, StoreError> {
    let (directory, copy) = file::copy_aside(path).map_err(|source| StoreError::Copy {
        path: path.to_owned(),
        source,
    })?;
    let db = connect(&copy, Way::Write, wait)
        .await
        .map_err(|error| StoreError::from_db(path, wait, error))?;
    let ready = make_ready(&db, path, wait, None).await;
    settle(path, db, ready, Access::View, wait, Some(directory)).await
}

async fn connected(path: &Path, way: Way, wait: Seconds) -> Result<DatabaseConnection, StoreError> {
    connect(path, way, wait)
        .await
        .map_err(|error| StoreError::from_db(path, wait, error))
}

/// Checks that it is a colony of this program's time or before, and brings it up to date. With a time, a
/// copy is kept before anything is migrated.
async fn make_ready(
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
            tracing::info!("{} is kept as {}", path.display(), copy.display());
        }
        (Schema::Outdated, None) | (Schema::Empty | Schema::Current, _) => {}
    }
    finish(db).await.map_err(failed)
}

/// Brings the tables up to date and turns the write-ahead log on, so that reports can read while a cycle
/// writes.
async fn finish(db: &DatabaseConnection) -> Result<(), DbErr> {
    if inspect(db).await? != Schema::Current {
        let transaction = begin_write(db).await?;
        migrate(&transaction).await?;
        transaction.commit().await?;
    }
    match db.execute_unprepared("PRAGMA journal_mode = WAL").await {
        // Someone reads it; it works without, and the next run tries again.
        Err(error) if trouble(&error) == Some(Trouble::Busy) => Ok(()),
        result => result.map(drop),
    }
}

fn newer(path: &Path, migration: String) -> StoreError {
    StoreError::Newer {
        path: path.to_owned(),
        migration,
    }
}

/// The store, or what is wrong with it once the database is closed again.
async fn settle(
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
