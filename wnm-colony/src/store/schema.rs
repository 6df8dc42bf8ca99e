//! Tells what a database holds by its tables and columns, because its recorded revision does not
//! prove that they exist.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::MigratorTrait;

use super::migrations::{MIGRATION_TABLE, Migrator};
use super::table_names::{columns, names};

/// The state of a database's tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Schema {
    /// No tables.
    Empty,
    /// A colony with all tables and columns.
    Current,
    /// A colony that needs migrations.
    Outdated,
    /// A colony with a migration that this program does not know.
    Newer(String),
    /// Tables of another program.
    Foreign,
}

/// Inspects the tables. Writes nothing.
pub(super) async fn inspect<C: ConnectionTrait>(db: &C) -> Result<Schema, DbErr> {
    let tables = names(
        db,
        "SELECT name FROM sqlite_schema WHERE type = 'table'",
        [],
    )
    .await?;
    if tables.is_empty() {
        return Ok(Schema::Empty);
    }
    if !columns(db, "machine").await?.contains("node_cap") {
        return Ok(Schema::Foreign);
    }
    let known: BTreeSet<String> = Migrator::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect();
    let applied = if tables.contains(MIGRATION_TABLE) {
        let applied = format!("SELECT version AS name FROM {MIGRATION_TABLE}");
        names(db, &applied, []).await?
    } else {
        BTreeSet::new()
    };
    Ok(match applied.difference(&known).next() {
        Some(unknown) => Schema::Newer(unknown.clone()),
        None if applied == known => Schema::Current,
        None => Schema::Outdated,
    })
}
