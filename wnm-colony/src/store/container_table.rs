//! The `container` table, with the columns of the Python wnm.

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelBehavior, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, DeriveEntityModel,
    DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter, Iterable, PrimaryKeyTrait,
    QueryFilter, QueryOrder, QueryResult, QueryTrait,
};

use super::columns::{Columns, DecodeError};
use super::machine_table::MACHINE_ID;
use wnm_core::container::Container;
use wnm_core::id::ContainerId;
use wnm_core::ports::Port;

const TABLE: &str = "container";

/// Rows per statement. Each row has 11 values, and SQLite allows 32,766 per statement. Few colonies
/// have more than a handful of containers.
const CHUNK: usize = 500;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "container")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: u32,
    pub machine_id: u32,
    pub container_id: String,
    pub name: String,
    pub image: String,
    pub status: String,
    pub created_at: i64,
    pub port_range_start: Option<u16>,
    pub port_range_end: Option<u16>,
    pub metrics_port_range_start: Option<u16>,
    pub metrics_port_range_end: Option<u16>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// All rows, by number.
pub(super) async fn load<C: ConnectionTrait>(db: &C) -> Result<Vec<QueryResult>, DbErr> {
    let query = Entity::find().order_by_asc(Column::Id).into_query();
    db.query_all(&query).await
}

/// Inserts or updates rows.
pub(super) async fn save<C: ConnectionTrait>(db: &C, rows: Vec<ActiveModel>) -> Result<(), DbErr> {
    for chunk in rows.chunks(CHUNK) {
        let rest = Column::iter().filter(|column| !matches!(column, Column::Id));
        Entity::insert_many(chunk.to_vec())
            .on_conflict(
                OnConflict::column(Column::Id)
                    .update_columns(rest)
                    .to_owned(),
            )
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

/// Deletes rows.
pub(super) async fn delete<C: ConnectionTrait>(db: &C, ids: &[ContainerId]) -> Result<(), DbErr> {
    for chunk in ids.chunks(CHUNK) {
        Entity::delete_many()
            .filter(Column::Id.is_in(chunk.iter().map(|id| id.0)))
            .exec(db)
            .await?;
    }
    Ok(())
}

/// The row for a container.
pub(super) fn to_row(container: &Container) -> ActiveModel {
    let (start, end) = container.node_ports.unzip();
    let (metrics_start, metrics_end) = container.metrics_ports.unzip();
    let port = |port: Option<Port>| Set(port.map(Port::get));
    ActiveModel {
        id: Set(container.id.0),
        machine_id: Set(MACHINE_ID),
        container_id: Set(container.engine_id.clone()),
        name: Set(container.name.clone()),
        image: Set(container.image.clone()),
        status: Set(container.status.clone()),
        created_at: Set(container.created_at.0),
        port_range_start: port(start),
        port_range_end: port(end),
        metrics_port_range_start: port(metrics_start),
        metrics_port_range_end: port(metrics_end),
    }
}

/// Decodes a row.
pub(super) fn read(row: &QueryResult) -> Result<Container, DecodeError> {
    let row = Columns::new(TABLE, row);
    Ok(Container {
        id: ContainerId(row.count("id", 0)?),
        engine_id: row.text("container_id")?,
        name: row.text("name")?,
        image: row.text("image")?,
        status: row.some_text("status")?.unwrap_or_default(),
        created_at: row.time("created_at")?,
        node_ports: ports(&row, "port_range_start", "port_range_end")?,
        metrics_ports: ports(&row, "metrics_port_range_start", "metrics_port_range_end")?,
    })
}

fn ports(
    row: &Columns<'_>,
    first: &'static str,
    last: &'static str,
) -> Result<Option<(Port, Port)>, DecodeError> {
    let port = |column, number| Port::try_from(number).map_err(|error| row.error(column, error));
    match (row.some_whole(first)?, row.some_whole(last)?) {
        (Some(start), Some(end)) => Ok(Some((port(first, start)?, port(last, end)?))),
        _ => Ok(None),
    }
}
