use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::super::table_names;

/// The columns that the Python wnm came to have over time, where they are absent, and the revision that its
/// version 0.6.3 insists on.
///
/// The columns are looked for one by one: a database that its own migrations brought to that revision can
/// still lack `antctl_debug`, for which there never was a migration.
pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "0002_python_columns"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        add_missing(db, "machine", MACHINE_COLUMNS).await?;
        add_missing(db, "node", NODE_COLUMNS).await?;
        add_highest_id(db).await?;
        set_revision(db).await
    }
}

/// Name, and type with the default that the Python program or its migrations give.
const MACHINE_COLUMNS: &[(&str, &str)] = &[
    ("hdio_read_less_than", "INTEGER NOT NULL DEFAULT 0"),
    ("hdio_write_less_than", "INTEGER NOT NULL DEFAULT 0"),
    ("netio_read_less_than", "INTEGER NOT NULL DEFAULT 0"),
    ("netio_write_less_than", "INTEGER NOT NULL DEFAULT 0"),
    ("hdio_read_remove", "INTEGER NOT NULL DEFAULT 0"),
    ("hdio_write_remove", "INTEGER NOT NULL DEFAULT 0"),
    ("netio_read_remove", "INTEGER NOT NULL DEFAULT 0"),
    ("netio_write_remove", "INTEGER NOT NULL DEFAULT 0"),
    ("delay_restart", "INTEGER NOT NULL DEFAULT 600"),
    ("survey_delay", "INTEGER NOT NULL DEFAULT 0"),
    ("action_delay", "INTEGER NOT NULL DEFAULT 0"),
    ("rpc_port_start", "INTEGER NOT NULL DEFAULT 30"),
    ("last_stopped_at", "INTEGER NOT NULL DEFAULT 0"),
    ("host", "TEXT NOT NULL DEFAULT '127.0.0.1'"),
    ("crisis_bytes", "INTEGER NOT NULL DEFAULT 2000000000"),
    ("environment", "TEXT"),
    ("start_args", "TEXT"),
    ("max_concurrent_upgrades", "INTEGER NOT NULL DEFAULT 1"),
    ("max_concurrent_starts", "INTEGER NOT NULL DEFAULT 1"),
    ("max_concurrent_removals", "INTEGER NOT NULL DEFAULT 1"),
    ("max_concurrent_operations", "INTEGER NOT NULL DEFAULT 1"),
    ("node_removal_strategy", "TEXT NOT NULL DEFAULT 'youngest'"),
    ("process_manager", "TEXT"),
    ("max_node_per_container", "INTEGER NOT NULL DEFAULT 200"),
    ("min_container_count", "INTEGER NOT NULL DEFAULT 1"),
    ("docker_image", "TEXT"),
    ("no_upnp", "INTEGER NOT NULL DEFAULT 1"),
    ("antnode_path", "TEXT DEFAULT '~/.local/bin/antnode'"),
    ("antctl_path", "TEXT DEFAULT '~/.local/bin/antctl'"),
    ("antctl_debug", "INTEGER NOT NULL DEFAULT 0"),
    ("antctl_version", "TEXT"),
];

const NODE_COLUMNS: &[(&str, &str)] = &[
    ("machine_id", "INTEGER NOT NULL DEFAULT 1"),
    ("container_id", "INTEGER"),
    // Empty means the machine's.
    ("manager_type", "TEXT NOT NULL DEFAULT ''"),
    ("log_dir", "TEXT"),
    ("rpc_port", "INTEGER NOT NULL DEFAULT 0"),
    ("gets", "INTEGER NOT NULL DEFAULT 0"),
    ("puts", "INTEGER NOT NULL DEFAULT 0"),
    ("mem", "INTEGER NOT NULL DEFAULT 0"),
    ("cpu", "INTEGER NOT NULL DEFAULT 0"),
    ("open_connections", "INTEGER NOT NULL DEFAULT 0"),
    ("total_peers", "INTEGER NOT NULL DEFAULT 0"),
    ("bad_peers", "INTEGER NOT NULL DEFAULT 0"),
    ("rel_records", "INTEGER NOT NULL DEFAULT 0"),
    ("max_records", "INTEGER NOT NULL DEFAULT 0"),
    ("rewards", "TEXT"),
    ("payment_count", "INTEGER NOT NULL DEFAULT 0"),
    ("live_time", "INTEGER NOT NULL DEFAULT 0"),
    ("network_size", "INTEGER NOT NULL DEFAULT 0"),
    ("host", "TEXT NOT NULL DEFAULT '127.0.0.1'"),
    ("method", "TEXT NOT NULL DEFAULT ''"),
    ("layout", "TEXT NOT NULL DEFAULT '1'"),
    ("environment", "TEXT"),
];

async fn add_missing<C: ConnectionTrait>(
    db: &C,
    table: &str,
    wanted: &[(&str, &str)],
) -> Result<(), DbErr> {
    let present = table_names::columns(db, table).await?;
    for (name, definition) in wanted.iter().filter(|(name, _)| !present.contains(*name)) {
        let sql = format!("ALTER TABLE {table} ADD COLUMN {name} {definition}");
        db.execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// A colony older than this column has given all numbers up to its highest, as the Python migration assumes.
async fn add_highest_id<C: ConnectionTrait>(db: &C) -> Result<(), DbErr> {
    if table_names::columns(db, "machine")
        .await?
        .contains("highest_node_id_used")
    {
        return Ok(());
    }
    db.execute_unprepared("ALTER TABLE machine ADD COLUMN highest_node_id_used INTEGER")
        .await?;
    db.execute_unprepared(
        "UPDATE machine SET highest_node_id_used = (SELECT coalesce(max(id), 0) FROM node)",
    )
    .await?;
    Ok(())
}

/// The revisions there were, in their order; the last one is what 0.4.7 to 0.6.3 open and nothing else.
const REVISIONS: [&str; 13] = [
    "eeec2af7114c",
    "62bd2784638c",
    "abc5afa09a61",
    "ade8fcd1fc9a",
    "7c5a573319da",
    "44f23f078686",
    "3249fcc20390",
    "fa0ca0abff5c",
    "00dd80bcd645",
    "67fe02809d26",
    "ba757077b6b0",
    "752bf4495eaa",
    "e2f4a512d24c",
];

/// Says in the Python program's way that the columns are there. A revision that is not among the known ones
/// is of a later version, which would not open the file with another: it is left alone.
async fn set_revision<C: ConnectionTrait>(db: &C) -> Result<(), DbErr> {
    db.execute_unprepared(
        "CREATE TABLE IF NOT EXISTS alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)",
    )
    .await?;
    let query =
        Statement::from_string(DbBackend::Sqlite, "SELECT version_num FROM alembic_version");
    for row in db.query_all_raw(query).await? {
        let revision: String = row.try_get_by("version_num")?;
        if !REVISIONS.contains(&revision.as_str()) {
            return Ok(());
        }
    }
    let [.., head] = REVISIONS;
    db.execute_unprepared("DELETE FROM alembic_version").await?;
    db.execute_unprepared(&format!("INSERT INTO alembic_version VALUES ('{head}')"))
        .await?;
    Ok(())
}
