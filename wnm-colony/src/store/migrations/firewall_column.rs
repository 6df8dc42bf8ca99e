use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// Which firewall ports are opened in: a setting that the Python wnm does not have. With a default, since that
/// program inserts its row without naming the column.
pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "0004_firewall"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "ALTER TABLE machine ADD COLUMN firewall TEXT NOT NULL DEFAULT 'auto'";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
