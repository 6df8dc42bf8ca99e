use std::io;
use std::path::{Path, PathBuf};

use sea_orm::{DbErr, RuntimeErr};
use thiserror::Error;

use super::columns::DecodeError;
use wnm_core::quantity::Seconds;

/// Why the database could not be used. Every message names the file.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The file does not exist.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// A new database cannot be created because the file already has content.
    #[error("{} already holds something", .0.display())]
    Exists(PathBuf),
    /// The file is not an SQLite database.
    #[error("{} is not an SQLite database", .0.display())]
    NotADatabase(PathBuf),
    /// The database belongs to another program.
    #[error("{} is a database of another program, not of wnm", .0.display())]
    NotAColony(PathBuf),
    /// The database has a migration that this program does not know.
    #[error("{} was written by a newer wnm (it has '{migration}'); install that version", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// The unknown migration.
        migration: String,
    },
    /// The file cannot be read.
    #[error("cannot read {}: {source}; check its permissions", path.display())]
    Unreadable {
        /// The database.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The file or its directory is not writable.
    #[error("{} is read-only; make it and its directory writable, or run as their owner", .0.display())]
    ReadOnly(PathBuf),
    /// The directory is missing, or no file can be created in it.
    #[error("cannot keep a database in {}: {source}", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Another program held a lock on the database for too long.
    #[error("{} is in use by another program and stayed locked for {waited}; try again", path.display())]
    Locked {
        /// The database.
        path: PathBuf,
        /// How long the store waited.
        waited: Seconds,
    },
    /// The disk is full.
    #[error("cannot write {}: the disk is full; free some space and try again", .0.display())]
    DiskFull(PathBuf),
    /// SQLite found damaged content.
    #[error("{} is damaged; replace it with one of its copies, colony.db.backup-*", .0.display())]
    Damaged(PathBuf),
    /// A view cannot record changes.
    #[error("cannot record in {}: it was opened for reading only", .0.display())]
    ViewOnly(PathBuf),
    /// The copy before a migration failed. The database is unchanged.
    #[error("cannot copy {} before its migration: {source}; the database is unchanged", path.display())]
    Backup {
        /// The database.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The temporary copy for a view failed.
    #[error("cannot make a temporary copy of {}: {source}", path.display())]
    Copy {
        /// The database.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The database for the Python wnm could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Export {
        /// The target file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A value cannot be decoded, or cannot be stored. Nothing was changed.
    #[error("{}: table {table}, row {row}, column {column}: {problem}", path.display())]
    Row {
        /// The database.
        path: PathBuf,
        /// The table.
        table: &'static str,
        /// The row's id.
        row: String,
        /// The column.
        column: &'static str,
        /// The value and the problem.
        problem: String,
    },
    /// Any other error of SQLite.
    #[error("{}: {source}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// The error.
        #[source]
        source: DbErr,
    },
}

/// SQLite's result codes that have a remedy (<https://sqlite.org/rescode.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SqliteError {
    /// Another connection holds a lock (5, 6).
    Busy,
    /// The file is not writable, or a crash left work that only a writer can finish (8).
    ReadOnly,
    /// The content is damaged (11).
    Corrupt,
    /// The disk is full (13).
    Full,
    /// The file, or one beside it, cannot be opened (14).
    CannotOpen,
    /// Not a database (26).
    NotADatabase,
}

/// Classifies an error by SQLite's result code. `None` for codes without a remedy.
pub(super) fn sqlite_error(error: &DbErr) -> Option<SqliteError> {
    let (DbErr::Conn(RuntimeErr::SqlxError(cause))
    | DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return None;
    };
    let code: i32 = cause.as_database_error()?.code()?.parse().ok()?;
    // The low byte is the primary code. The other bytes refine it.
    match code & 0xff {
        5 | 6 => Some(SqliteError::Busy),
        8 => Some(SqliteError::ReadOnly),
        11 => Some(SqliteError::Corrupt),
        13 => Some(SqliteError::Full),
        14 => Some(SqliteError::CannotOpen),
        26 => Some(SqliteError::NotADatabase),
        _ => None,
    }
}

impl StoreError {
    /// Converts an error of SQLite. May look at the file system to find the cause.
    pub(super) fn from_db(path: &Path, waited: Seconds, source: DbErr) -> Self {
        let path = path.to_owned();
        match sqlite_error(&source) {
            Some(SqliteError::Busy) => Self::Locked { path, waited },
            Some(SqliteError::ReadOnly) => Self::ReadOnly(path),
            Some(SqliteError::Corrupt) => Self::Damaged(path),
            Some(SqliteError::Full) => Self::DiskFull(path),
            Some(SqliteError::NotADatabase) => Self::NotADatabase(path),
            Some(SqliteError::CannotOpen) => Self::cannot_open(path),
            None => Self::Database { path, source },
        }
    }

    fn cannot_open(path: PathBuf) -> Self {
        let directory = super::file::directory_of(&path);
        match std::fs::metadata(directory) {
            Err(source) => Self::Directory {
                directory: directory.to_owned(),
                source,
            },
            Ok(_) => Self::ReadOnly(path),
        }
    }

    pub(super) fn from_decode(path: &Path, error: DecodeError) -> Self {
        Self::Row {
            path: path.to_owned(),
            table: error.table,
            row: error.row,
            column: error.column,
            problem: error.problem,
        }
    }
}
