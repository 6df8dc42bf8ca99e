use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// What this program stores beyond the Python wnm. Every column has a default, since the Python program goes
/// on inserting rows without naming it.
pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "0003_own_tables"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for column in NODE_COLUMNS {
            db.execute_unprepared(&format!("ALTER TABLE node ADD COLUMN {column}"))
                .await?;
        }
        for statement in TABLES {
            db.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

/// An empty `desired` means that only the status word is known: the row was not written by this program.
const NODE_COLUMNS: [&str; 11] = [
    "desired TEXT NOT NULL DEFAULT ''",
    "desired_by TEXT NOT NULL DEFAULT ''",
    "desired_since INTEGER NOT NULL DEFAULT 0",
    "observed TEXT NOT NULL DEFAULT ''",
    "observed_at INTEGER NOT NULL DEFAULT 0",
    "transition TEXT",
    "transition_since INTEGER",
    "transition_acted INTEGER",
    "last_start INTEGER",
    "failed_starts INTEGER NOT NULL DEFAULT 0",
    "load_stops INTEGER NOT NULL DEFAULT 0",
];

/// The journal names nodes without a foreign key: it outlives them.
const TABLES: [&str; 4] = [
    "CREATE TABLE wnm_event (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        node INTEGER,
        action TEXT NOT NULL,
        outcome TEXT NOT NULL,
        reason TEXT NOT NULL
    )",
    "CREATE INDEX ix_wnm_event_at ON wnm_event (at)",
    "CREATE INDEX ix_wnm_event_node ON wnm_event (node, at)",
    "CREATE TABLE wnm_state (
        key TEXT NOT NULL PRIMARY KEY,
        value TEXT NOT NULL
    )",
];
