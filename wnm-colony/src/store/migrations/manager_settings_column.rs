use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// The settings of managers that have no column for them, as JSON.
pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "0008_manager_settings"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "ALTER TABLE machine ADD COLUMN manager_settings TEXT NOT NULL DEFAULT '{}'";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
