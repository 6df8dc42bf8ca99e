use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// What is typed of an event, as JSON. NULL in the rows of older versions, whose words say what happened.
pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "0007_event_detail"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "ALTER TABLE wnm_event ADD COLUMN detail TEXT";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
