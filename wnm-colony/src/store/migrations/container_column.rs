use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// How containers are connected: a setting that the Python wnm does not have. With a default, since that program
/// inserts its row without naming the column.
pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "0006_container_network"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "ALTER TABLE machine ADD COLUMN container_network TEXT NOT NULL DEFAULT 'host'";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
