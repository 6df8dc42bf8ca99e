//! From whatever a database holds to the tables of this program. Each step looks at what is there.

mod container_column;
mod event_detail;
mod firewall_column;
mod fleet_columns;
mod own_tables;
mod python_columns;
mod python_tables;

use sea_orm::{DatabaseTransaction, DbErr, DynIden, sea_query::IntoIden};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// Where the applied migrations are noted: a table of its own name, as an embedder may keep its own tables,
/// migrated by the same library, in the file.
pub(super) const MIGRATION_TABLE: &str = "wnm_migration";

/// The first of them, which bring a database to what the last Python wnm has and no further.
pub(super) const PYTHON_MIGRATIONS: u32 = 2;

pub(super) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(python_tables::Migration),
            Box::new(python_columns::Migration),
            Box::new(own_tables::Migration),
            Box::new(firewall_column::Migration),
            Box::new(fleet_columns::Migration),
            Box::new(container_column::Migration),
            Box::new(event_detail::Migration),
        ]
    }

    fn migration_table_name() -> DynIden {
        MIGRATION_TABLE.into_iden()
    }
}

/// Applies what is missing, all of it or nothing.
pub(super) async fn migrate(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    Migrator::up(transaction, None).await
}
