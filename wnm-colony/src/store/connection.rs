//! Connecting to the file, in each of the ways that are needed.

use std::path::Path;

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

use wnm_core::quantity::Seconds;

/// How long a database that someone else is writing is waited for. The longest write there is, a migration
/// of a large colony, takes far less; a lock that lasts longer will not go away in a minute either.
pub(super) const BUSY_TIMEOUT: Seconds = Seconds(5);

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Read and write, and make it when it is not there.
    Create,
    /// Read and write what is there.
    Write,
    /// Read through a handle that could write, so that SQLite tidies up its files beside the database.
    LookTidily,
    /// Read through a handle that cannot write.
    LookOnly,
}

/// Connects. One connection only: SQLite has one writer, and what is read is read in one go.
pub(super) async fn connect(
    path: &Path,
    way: Way,
    wait: Seconds,
) -> Result<DatabaseConnection, DbErr> {
    let file = path.to_owned();
    // Only the scheme counts; a path in a URL would have to be UTF-8 and escaped.
    let mut options = ConnectOptions::new("sqlite:colony.db");
    options
        .max_connections(1)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |options| {
            let options = options
                .filename(&file)
                .create_if_missing(way == Way::Create)
                .read_only(way == Way::LookOnly)
                .foreign_keys(true)
                .busy_timeout(wait.duration());
            match way {
                Way::Create | Way::Write => options,
                Way::LookTidily | Way::LookOnly => options.pragma("query_only", "ON"),
            }
        });
    Database::connect(options).await
}

/// Begins a transaction that holds the right to write from the start: one that takes it later can find the
/// database changed under it and fail without a wait.
pub(super) async fn begin_write(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    db.begin_with_options(TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    })
    .await
}
