//! The nodes' rows: the columns of the Python wnm, and ours after them.

use futures_util::Stream;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelBehavior, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr,
    DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter, Iterable,
    PrimaryKeyTrait, QueryFilter, QueryOrder, QueryResult, QueryTrait, StreamTrait,
};

use super::columns::{Fault, stored, stored_path};
use super::machine_table::MACHINE_ID;
use crate::node::{Node, NodeId};
use crate::ports::Port;

pub(super) const TABLE: &str = "node";

/// Rows in one statement, with 52 of the 32,766 values that one can have each. Statements of the same length are
/// parsed once, so that several short ones cost less than one long one: a thousand rows by the hundred take three
/// quarters of what they take by five hundred.
const CHUNK: usize = 100;

/// What one node is stored as in `layout`, which always was one directory for each.
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

/// All rows, by number, as they come: a thousand of them held at once would be most of what a report takes.
pub(super) async fn load(
    db: &DatabaseConnection,
) -> Result<impl Stream<Item = Result<QueryResult, DbErr>> + '_, DbErr> {
    let query = Entity::find().order_by_asc(Column::Id).into_query();
    db.stream(&query).await
}

/// Writes rows, new ones and over old ones. What says how a node came to be is kept as it is.
pub(super) async fn save<C: ConnectionTrait>(db: &C, rows: Vec<ActiveModel>) -> Result<(), DbErr> {
    use Column::{Id, Layout, MachineId, Method};
    let written: Vec<Column> = Column::iter()
        .filter(|column| !matches!(column, Id | MachineId | Method | Layout))
        .collect();
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        Entity::insert_many(rows.by_ref().take(CHUNK))
            .on_conflict(
                OnConflict::column(Column::Id)
                    .update_columns(written.iter().copied())
                    .to_owned(),
            )
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

/// Drops rows.
pub(super) async fn delete<C: ConnectionTrait>(db: &C, ids: &[NodeId]) -> Result<(), DbErr> {
    for chunk in ids.chunks(CHUNK) {
        Entity::delete_many()
            .filter(Column::Id.is_in(chunk.iter().map(|id| id.get())))
            .exec(db)
            .await?;
    }
    Ok(())
}

/// Drops all rows.
pub(super) async fn clear<C: ConnectionTrait>(db: &C) -> Result<(), DbErr> {
    Entity::delete_many().exec(db).await.map(drop)
}

/// The row for a node.
pub(super) fn to_row(node: &Node) -> Result<ActiveModel, Fault> {
    let path = |column, path| stored_path(TABLE, node.id.get(), column, path);
    let port = |port: Option<Port>| Set(port.map_or(0, Port::get));
    let measured = &node.measured;
    Ok(ActiveModel {
        id: Set(node.id.get()),
        machine_id: Set(MACHINE_ID),
        container_id: Set(node.container.map(|container| container.0)),
        manager_type: Set(node.manager.to_string()),
        node_name: Set(node.name().to_string()),
        service: Set(node.service.clone()),
        user: Set(node.user.clone()),
        binary: Set(path("binary", &node.binary)?),
        version: Set(node.version.as_ref().map(ToString::to_string)),
        root_dir: Set(path("root_dir", &node.root_dir)?),
        log_dir: Set(match &node.log_dir {
            Some(log_dir) => Some(path("log_dir", log_dir)?),
            None => None,
        }),
        port: Set(node.ports.node.get()),
        metrics_port: port(node.ports.metrics),
        rpc_port: port(node.ports.rpc),
        network: Set(node.network.clone()),
        wallet: Set(node.wallet.map(|wallet| wallet.to_string())),
        peer_id: Set(node.peer_id.clone()),
        status: Set(node.status().word().to_owned()),
        timestamp: Set(node.status_since.0),
        records: Set(stored(measured.records)),
        uptime: Set(stored(measured.uptime)),
        shunned: Set(stored(measured.shunned)),
        connected_peers: Set(stored(measured.connected_peers)),
        gets: Set(stored(measured.gets)),
        puts: Set(stored(measured.puts)),
        mem: Set(hundredths(measured.memory_mb)),
        cpu: Set(hundredths(measured.cpu_percent)),
        open_connections: Set(stored(measured.open_connections)),
        total_peers: Set(stored(measured.total_peers)),
        bad_peers: Set(stored(measured.bad_peers)),
        rel_records: Set(stored(measured.relevant_records)),
        max_records: Set(stored(measured.max_records)),
        rewards: Set(measured.rewards.clone()),
        payment_count: Set(stored(measured.payment_count)),
        live_time: Set(stored(measured.live_time)),
        network_size: Set(stored(measured.network_size)),
        age: Set(node.first_launch.0),
        host: Set(node.host.clone()),
        method: Set(node.manager.to_string()),
        layout: Set(LAYOUT.to_owned()),
        // The Python program stores what is not given as an empty text.
        environment: Set(Some(node.environment.clone().unwrap_or_default())),
        desired: Set(node.desired.state.word().to_owned()),
        desired_by: Set(node.desired.by.word().to_owned()),
        desired_since: Set(node.desired.since.0),
        observed: Set(node.observed.state.word().to_owned()),
        observed_at: Set(node.observed.at.0),
        transition: Set(node.under_way().map(|kind| kind.word().to_owned())),
        transition_since: Set(node.transition.map(|transition| transition.since.0)),
        transition_acted: Set(node.transition.map(|transition| transition.acted)),
        last_start: Set(node.last_start.map(|time| time.0)),
        failed_starts: Set(node.failed_starts),
        load_stops: Set(node.load_stops),
    })
}

/// Memory and processor share are stored as whole hundredths. What is no number counts as nothing.
fn hundredths(figure: f64) -> i64 {
    (figure.max(0.0) * 100.0).round() as i64
}
