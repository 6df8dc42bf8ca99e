//! Queries for names in a database: tables, columns, migrations.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// The names of a table's columns. Empty if the table does not exist.
pub(super) async fn columns<C: ConnectionTrait>(
    db: &C,
    table: &str,
) -> Result<BTreeSet<String>, DbErr> {
    names(db, "SELECT name FROM pragma_table_info(?)", [table.into()]).await
}

/// The values of the column `name` of a query.
pub(super) async fn names<C: ConnectionTrait, const N: usize>(
    db: &C,
    sql: &str,
    values: [sea_orm::Value; N],
) -> Result<BTreeSet<String>, DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
    db.query_all_raw(statement)
        .await?
        .iter()
        .map(|row| row.try_get_by("name"))
        .collect()
}
