use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// What all nodes may take together: settings that the Python wnm does not have. Without a limit both are NULL,
/// which is also what that program inserts.
pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "0005_fleet"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["fleet_memory_max TEXT", "fleet_cpu_quota INTEGER"] {
            let sql = format!("ALTER TABLE machine ADD COLUMN {column}");
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
