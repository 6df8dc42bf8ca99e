use std::io;
use std::path::{Path, PathBuf};

use sea_orm::{DbErr, RuntimeErr};
use thiserror::Error;

use super::columns::Fault;
use wnm_core::quantity::Seconds;

/// Why the database could not be used. Every message names the file and says what to do.
#[derive(Debug, Error)]
pub enum StoreError {
    /// There is no such file.
    #[error("{} does not exist; create a colony with --init or give another with --dbpath", .0.display())]
    Missing(PathBuf),
    /// A new database was to be made where something is already.
    #[error("{} already holds something; move it away or give another with --dbpath", .0.display())]
    Exists(PathBuf),
    /// A file of another kind.
    #[error("{} is not an SQLite database; give another with --dbpath", .0.display())]
    NotADatabase(PathBuf),
    /// A database of another program.
    #[error("{} is a database of another program, not of wnm; give another with --dbpath", .0.display())]
    NotAColony(PathBuf),
    /// It has been migrated further than this program goes.
    #[error("{} was written by a newer wnm (it has '{migration}'); install that one", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// The migration this program does not know.
        migration: String,
    },
    /// The file may not be read.
    #[error("{} cannot be read: {source}; check its permissions", path.display())]
    Unreadable {
        /// The database.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file may not be written.
    #[error("{} is read-only; make it and its directory writable, or run as their owner", .0.display())]
    ReadOnly(PathBuf),
    /// The directory is missing or lets no file be made beside the database.
    #[error("no database can be kept in {}: {source}", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Another program has held it for too long.
    #[error("{} is in use by another program and was not free within {waited}; try again", path.display())]
    Locked {
        /// The database.
        path: PathBuf,
        /// How long it was waited for.
        waited: Seconds,
    },
    /// No space is left.
    #[error("no space is left to write {}; free some and try again", .0.display())]
    DiskFull(PathBuf),
    /// SQLite says that its content is damaged.
    #[error("{} is damaged; put one of its copies, colony.db.backup-*, in its place", .0.display())]
    Damaged(PathBuf),
    /// A change was to be recorded through a view.
    #[error("{} was opened for reading only, so nothing can be recorded", .0.display())]
    ViewOnly(PathBuf),
    /// The copy that is made before a migration failed; nothing was migrated.
    #[error("cannot keep a copy of {} before it is migrated: {source}; it was left as it is", path.display())]
    Backup {
        /// The database.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The copy that a view looks at could not be made.
    #[error("cannot copy {} to look at it: {source}", path.display())]
    Copy {
        /// The database.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A database for the Python wnm could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Export {
        /// The file that was to be written.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// One value cannot be understood. Nothing was changed.
    #[error("{}: table {table}, row {row}, column {column}: {problem}", path.display())]
    Row {
        /// The database.
        path: PathBuf,
        /// The table.
        table: &'static str,
        /// Its id.
        row: String,
        /// The column.
        column: &'static str,
        /// The value and what is wrong with it.
        problem: String,
    },
    /// Anything else, in SQLite's words.
    #[error("{}: {source}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What was said.
        #[source]
        source: DbErr,
    },
}

/// SQLite's result codes that a user can do something about (<https://sqlite.org/rescode.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Another connection has it (5, 6).
    Busy,
    /// Not writable, or a crash left work that only a writer can finish (8).
    ReadOnly,
    /// The content is damaged (11).
    Corrupt,
    /// No space (13).
    Full,
    /// The file or one beside it cannot be opened (14).
    CannotOpen,
    /// Not a database (26).
    NotADatabase,
}

/// What kind of trouble an error is; `None` for the rest.
pub(super) fn trouble(error: &DbErr) -> Option<Trouble> {
    let (DbErr::Conn(RuntimeErr::SqlxError(cause))
    | DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return None;
    };
    let code: i32 = cause.as_database_error()?.code()?.parse().ok()?;
    // The low byte is the primary code; the rest only refines it.
    match code & 0xff {
        5 | 6 => Some(Trouble::Busy),
        8 => Some(Trouble::ReadOnly),
        11 => Some(Trouble::Corrupt),
        13 => Some(Trouble::Full),
        14 => Some(Trouble::CannotOpen),
        26 => Some(Trouble::NotADatabase),
        _ => None,
    }
}

impl StoreError {
    /// Puts SQLite's answer into words, after a look at what is on the disk.
    pub(super) fn from_db(path: &Path, waited: Seconds, source: DbErr) -> Self {
        let path = path.to_owned();
        match trouble(&source) {
            Some(Trouble::Busy) => Self::Locked { path, waited },
            Some(Trouble::ReadOnly) => Self::ReadOnly(path),
            Some(Trouble::Corrupt) => Self::Damaged(path),
            Some(Trouble::Full) => Self::DiskFull(path),
            Some(Trouble::NotADatabase) => Self::NotADatabase(path),
            Some(Trouble::CannotOpen) => Self::cannot_open(path),
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

    pub(super) fn from_fault(path: &Path, fault: Fault) -> Self {
        Self::Row {
            path: path.to_owned(),
            table: fault.table,
            row: fault.row,
            column: fault.column,
            problem: fault.problem,
        }
    }
}
