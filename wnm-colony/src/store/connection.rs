//! Opens connections to the database file.

use std::path::Path;

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

use wnm_core::quantity::Seconds;

/// How long to wait while another program writes. The longest write, the migration of a large
/// colony, takes far less. A lock that lasts longer will not go away within a minute either.
pub(super) const BUSY_TIMEOUT: Seconds = Seconds(5);

/// How to open the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenMode {
    /// Read and write. Create the file if it is missing.
    Create,
    /// Read and write an existing file.
    Write,
    /// Read through a handle that could write, so SQLite removes its files beside the database.
    ReadTidily,
    /// Read through a handle that cannot write.
    ReadOnly,
}

/// Connects to the file with a single connection: SQLite has one writer, and reads happen one after
/// another.
pub(super) async fn connect(
    path: &Path,
    mode: OpenMode,
    wait: Seconds,
) -> Result<DatabaseConnection, DbErr> {
    let file = path.to_owned();
    // Only the scheme matters here. A path in a URL would have to be UTF-8 and escaped.
    let mut options = ConnectOptions::new("sqlite:colony.db");
    options
        .max_connections(1)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |options| {
            let options = options
                .filename(&file)
                .create_if_missing(mode == OpenMode::Create)
                .read_only(mode == OpenMode::ReadOnly)
                .foreign_keys(true)
                .busy_timeout(wait.duration());
            match mode {
                OpenMode::Create | OpenMode::Write => options,
                OpenMode::ReadTidily | OpenMode::ReadOnly => options.pragma("query_only", "ON"),
            }
        });
    Database::connect(options).await
}

/// Begins a transaction that holds the write lock from the start. One that takes the lock later
/// fails at once if the database has changed in between.
pub(super) async fn begin_write(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    db.begin_with_options(TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    })
    .await
}
