//! Exports a colony to a database that has only the tables and columns of the Python wnm.

use std::io;
use std::path::Path;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use sea_orm_migration::MigratorTrait;

use super::StoreError;
use super::connection::{BUSY_TIMEOUT, OpenMode, begin_write, connect};
use super::migrations::{MIGRATION_TABLE, Migrator, PYTHON_MIGRATIONS, migrate};
use super::{file, table_names};

/// In an order in which every row comes after the rows it refers to.
const TABLES: [&str; 3] = ["machine", "container", "node"];

/// Writes the colony in `path` to a new file `target`. Only reads the original.
pub(super) async fn for_python(path: &Path, target: &Path) -> Result<(), StoreError> {
    file::kind(path)?;
    let io = |source: io::Error| StoreError::Export {
        path: target.to_owned(),
        source,
    };
    let (directory, copy) = file::copy_to_temp(path).map_err(|source| StoreError::Copy {
        path: path.to_owned(),
        source,
    })?;
    let made = directory.path().join("python.db");
    let failed = |error| StoreError::from_db(path, BUSY_TIMEOUT, error);
    migrate_copy(&copy).await.map_err(failed)?;
    copy_tables(&copy, &made).await.map_err(failed)?;
    let mode = std::fs::metadata(path).map_err(io)?.permissions();
    let beside = tempfile::NamedTempFile::new_in(file::directory_of(target)).map_err(io)?;
    std::fs::copy(&made, beside.path()).map_err(io)?;
    beside.as_file().set_permissions(mode).map_err(io)?;
    beside.as_file().sync_all().map_err(io)?;
    let kept = beside.persist_noclobber(target);
    kept.map(drop).map_err(|error| io(error.error))
}

async fn migrate_copy(copy: &Path) -> Result<(), DbErr> {
    let db = connect(copy, OpenMode::Write, BUSY_TIMEOUT).await?;
    let transaction = begin_write(&db).await?;
    migrate(&transaction).await?;
    transaction.commit().await?;
    // Moves the write-ahead log into the file, because only the file gets attached.
    db.execute_unprepared("PRAGMA journal_mode = DELETE")
        .await?;
    db.close().await
}

async fn copy_tables(from: &Path, to: &Path) -> Result<(), DbErr> {
    let db = connect(to, OpenMode::Create, BUSY_TIMEOUT).await?;
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
