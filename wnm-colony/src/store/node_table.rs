//! The `node` table: the columns of the Python wnm, followed by ours.

use std::iter::repeat_with;
use std::sync::LazyLock;

use sea_orm::sea_query::{Expr, OnConflict, Query, SqliteQueryBuilder};
use sea_orm::{
    ActiveModelBehavior, ColumnTrait, ConnectionTrait, DbBackend, DbErr, DeriveEntityModel,
    DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter, Iterable, ModelTrait, PrimaryKeyTrait,
    QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait, Statement, Value,
};

use super::columns::{DecodeError, stored, stored_path};
use super::machine_table::MACHINE_ID;
use super::packed::{self, ColumnPositions, PackedRows};
use wnm_core::id::NodeId;
use wnm_core::node::Node;
use wnm_core::ports::Port;

pub(super) const TABLE: &str = "node";

/// Rows per statement. Each row has 52 values, and SQLite allows 32,766 per statement. SQLite
/// parses statements of equal length once, so short ones are cheaper: a thousand rows in chunks of
/// 100 take three quarters of the time they take in chunks of 500.
const CHUNK: usize = 100;

/// The value of `layout` for one directory per node, the only layout there has been.
const LAYOUT: &str = "1";

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "node")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: u32,
    pub machine_id: u32,
    pub container_id: Option<u32>,
    pub manager_type: String,
    pub node_name: String,
    pub service: String,
    pub user: String,
    pub binary: String,
    pub version: Option<String>,
    pub root_dir: String,
    pub log_dir: Option<String>,
    pub port: u16,
    pub metrics_port: u16,
    pub rpc_port: u16,
    pub network: String,
    pub wallet: Option<String>,
    pub peer_id: Option<String>,
    pub status: String,
    pub timestamp: i64,
    pub records: i64,
    pub uptime: i64,
    pub shunned: i64,
    pub connected_peers: i64,
    pub gets: i64,
    pub puts: i64,
    pub mem: i64,
    pub cpu: i64,
    pub open_connections: i64,
    pub total_peers: i64,
    pub bad_peers: i64,
    pub rel_records: i64,
    pub max_records: i64,
    pub rewards: Option<String>,
    pub payment_count: i64,
    pub live_time: i64,
    pub network_size: i64,
    pub age: i64,
    pub host: String,
    pub method: String,
    pub layout: String,
    pub environment: Option<String>,
    pub desired: String,
    pub desired_by: String,
    pub desired_since: i64,
    pub observed: String,
    pub observed_at: i64,
    pub transition: Option<String>,
    pub transition_since: Option<i64>,
    pub transition_acted: Option<bool>,
    pub last_start: Option<i64>,
    pub failed_starts: u32,
    pub load_stops: u32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// All rows, by number.
pub(super) async fn load<C: ConnectionTrait>(db: &C) -> Result<Vec<QueryResult>, DbErr> {
    let query = Entity::find().order_by_asc(Column::Id).into_query();
    db.query_all(&query).await
}

/// All rows as one JSON value. `None` if SQLite's result is not valid text.
pub(super) async fn load_packed<C: ConnectionTrait>(db: &C) -> Result<Option<PackedRows>, DbErr> {
    let query = Entity::find()
        .select_only()
        .expr(packed::pack::<Column>(TABLE))
        .into_query();
    let result = db.query_one(&query).await?;
    Ok(result.as_ref().and_then(PackedRows::of))
}

/// The positions of the columns in packed rows.
pub(super) static POSITIONS: LazyLock<ColumnPositions> =
    LazyLock::new(ColumnPositions::of::<Column>);

/// Inserts or updates rows. An update keeps the columns that say how a node was created.
pub(super) async fn save<C: ConnectionTrait>(db: &C, rows: Vec<Model>) -> Result<(), DbErr> {
    let mut rows = rows.into_iter();
    let mut text = Upsert::of(0);
    while rows.len() > 0 {
        let count = rows.len().min(CHUNK);
        if count != text.rows {
            text = Upsert::of(count);
        }
        let values = rows.by_ref().take(text.rows).flat_map(values_of);
        db.execute_raw(Statement::from_sql_and_values(
            DbBackend::Sqlite,
            &text.sql,
            values,
        ))
        .await?;
    }
    Ok(())
}

/// The SQL of a statement that writes `rows` rows. Built once and reused for all chunks of that
/// size.
struct Upsert {
    rows: usize,
    sql: String,
}

impl Upsert {
    fn of(rows: usize) -> Self {
        use Column::{Id, Layout, MachineId, Method};
        let written =
            Column::iter().filter(|column| !matches!(column, Id | MachineId | Method | Layout));
        let row = || Column::iter().map(|_| Expr::value(0));
        let (sql, _) = Query::insert()
            .into_table(Entity)
            .columns(Column::iter())
            .values_from_panic(repeat_with(row).take(rows))
            .on_conflict(OnConflict::column(Id).update_columns(written).to_owned())
            .build(SqliteQueryBuilder);
        Self { rows, sql }
    }
}

/// The values of a row, in the order of the columns.
fn values_of(row: Model) -> impl Iterator<Item = Value> {
    Column::iter().map(move |column| row.get(column))
}

/// Deletes rows.
pub(super) async fn delete<C: ConnectionTrait>(db: &C, ids: &[NodeId]) -> Result<(), DbErr> {
    for chunk in ids.chunks(CHUNK) {
        Entity::delete_many()
            .filter(Column::Id.is_in(chunk.iter().map(|id| id.get())))
            .exec(db)
            .await?;
    }
    Ok(())
}

/// Deletes all rows.
pub(super) async fn clear<C: ConnectionTrait>(db: &C) -> Result<(), DbErr> {
    Entity::delete_many().exec(db).await.map(drop)
}

/// The row for a node.
pub(super) fn to_row(node: &Node) -> Result<Model, DecodeError> {
    let path = |column, path| stored_path(TABLE, node.id.get(), column, path);
    let port = |port: Option<Port>| port.map_or(0, Port::get);
    let measured = &node.measured;
    Ok(Model {
        id: node.id.get(),
        machine_id: MACHINE_ID,
        container_id: node.container.map(|container| container.0),
        manager_type: node.manager.to_string(),
        node_name: node.name().to_string(),
        service: node.service.clone(),
        user: node.user.clone(),
        binary: path("binary", &node.binary)?,
        version: node.version.as_ref().map(ToString::to_string),
        root_dir: path("root_dir", &node.root_dir)?,
        log_dir: match &node.log_dir {
            Some(log_dir) => Some(path("log_dir", log_dir)?),
            None => None,
        },
        port: node.ports.node.get(),
        metrics_port: port(node.ports.metrics),
        rpc_port: port(node.ports.rpc),
        network: node.network.clone(),
        wallet: node.wallet.map(|wallet| wallet.to_string()),
        peer_id: node.peer_id.clone(),
        status: node.status().as_str().to_owned(),
        timestamp: node.status_since().0,
        records: stored(measured.records),
        uptime: stored(measured.uptime),
        shunned: stored(measured.shunned),
        connected_peers: stored(measured.connected_peers),
        gets: stored(measured.gets),
        puts: stored(measured.puts),
        mem: hundredths(measured.memory_mb),
        cpu: hundredths(measured.cpu_percent),
        open_connections: stored(measured.open_connections),
        total_peers: stored(measured.total_peers),
        bad_peers: stored(measured.bad_peers),
        rel_records: stored(measured.relevant_records),
        max_records: stored(measured.max_records),
        rewards: measured.rewards.clone(),
        payment_count: stored(measured.payment_count),
        live_time: stored(measured.live_time),
        network_size: stored(measured.network_size),
        age: node.first_launch.0,
        host: node.host.clone(),
        method: node.manager.to_string(),
        layout: LAYOUT.to_owned(),
        // The Python wnm stores an empty text for a missing value.
        environment: Some(node.environment.clone().unwrap_or_default()),
        desired: node.desired().state.as_str().to_owned(),
        desired_by: node.desired().by.as_str().to_owned(),
        desired_since: node.desired().since.0,
        observed: node.observed().state.as_str().to_owned(),
        observed_at: node.observed().at.0,
        transition: node.under_way().map(|kind| kind.as_str().to_owned()),
        transition_since: node.transition().map(|transition| transition.since.0),
        transition_acted: node.transition().map(|transition| transition.acted),
        last_start: node.last_start().map(|time| time.0),
        failed_starts: node.failed_starts(),
        load_stops: node.load_stops(),
    })
}

/// Converts megabytes or percent to stored hundredths. NaN and negative values become 0.
fn hundredths(figure: f64) -> i64 {
    (figure.max(0.0) * 100.0).round() as i64
}
