//! A database with the tables and columns of the Python wnm and nothing else.

use std::io;
use std::path::Path;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use sea_orm_migration::MigratorTrait;

use super::StoreError;
use super::connection::{BUSY_TIMEOUT, Way, begin_write, connect};
use super::migrations::{MIGRATION_TABLE, Migrator, PYTHON_MIGRATIONS, migrate};
use super::{file, table_names};

/// In the order in which rows refer to each other.
const TABLES: [&str; 3] = ["machine", "container", "node"];

/// Writes the colony of `path` to a new file `target`. The original is only read.
pub(super) async fn for_python(path: &Path, target: &Path) -> Result<(), StoreError> {
    file::look(path)?;
    let io = |source: io::Error| StoreError::Export {
        path: target.to_owned(),
        source,
    };
    let (directory, copy) = file::copy_aside(path).map_err(|source| StoreError::Copy {
        path: path.to_owned(),
        source,
    })?;
    let made = directory.path().join("python.db");
    let failed = |error| StoreError::from_db(path, BUSY_TIMEOUT, error);
    up_to_date(&copy).await.map_err(failed)?;
    transcribe(&copy, &made).await.map_err(failed)?;
    let mode = std::fs::metadata(path).map_err(io)?.permissions();
    let beside = tempfile::NamedTempFile::new_in(file::directory_of(target)).map_err(io)?;
    std::fs::copy(&made, beside.path()).map_err(io)?;
    beside.as_file().set_permissions(mode).map_err(io)?;
    beside.as_file().sync_all().map_err(io)?;
    let kept = beside.persist_noclobber(target);
    kept.map(drop).map_err(|error| io(error.error))
}

async fn up_to_date(copy: &Path) -> Result<(), DbErr> {
    let db = connect(copy, Way::Write, BUSY_TIMEOUT).await?;
    let transaction = begin_write(&db).await?;
    migrate(&transaction).await?;
    transaction.commit().await?;
    // What is in the log goes into the file, which is what is attached.
    db.execute_unprepared("PRAGMA journal_mode = DELETE")
        .await?;
    db.close().await
}

async fn transcribe(from: &Path, to: &Path) -> Result<(), DbErr> {
    let db = connect(to, Way::Create, BUSY_TIMEOUT).await?;
    Migrator::up(&db, Some(PYTHON_MIGRATIONS)).await?;
    let name = from.to_string_lossy().into_owned();
    let attach = "ATTACH DATABASE ? AS colony";
    let attach = Statement::from_sql_and_values(DbBackend::Sqlite, attach, [name.into()]);
    db.execute_raw(attach).await?;
    for table in TABLES {
        copy_rows(&db, table).await?;
    }
    db.execute_unprepared("DETACH DATABASE colony").await?;
    let drop_own = format!("DROP TABLE {MIGRATION_TABLE}");
    db.execute_unprepared(&drop_own).await?;
    db.close().await
}

async fn copy_rows(db: &DatabaseConnection, table: &str) -> Result<(), DbErr> {
    let columns = table_names::columns(db, table).await?;
    let columns = columns.into_iter().collect::<Vec<_>>().join(", ");
    let sql = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM colony.{table}");
    db.execute_unprepared(&sql).await.map(drop)
}
