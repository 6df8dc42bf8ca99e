//! The few columns of a node's row that the shortest report shows.
//!
//! Every value goes from SQLite's thread to ours in memory of its own, which is most of what reading costs:
//! with all columns the report of a thousand nodes takes more than twice as long.

use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, QueryOrder, QueryResult, QuerySelect, QueryTrait,
};

use super::columns::{Columns, Fault};
use super::node_table::{Column, Entity, TABLE};
use crate::node::{NodeSummary, Status};

/// All rows, by number.
pub(super) async fn load<C: ConnectionTrait>(db: &C) -> Result<Vec<QueryResult>, DbErr> {
    use Column::{ConnectedPeers, Id, PeerId, Service, Status};
    let query = Entity::find()
        .select_only()
        .columns([Id, Service, Status, PeerId, ConnectedPeers])
        .order_by_asc(Id)
        .into_query();
    db.query_all(&query).await
}

/// Reads a row.
pub(super) fn read(row: &QueryResult) -> Result<NodeSummary, Fault> {
    let row = Columns::new(TABLE, row);
    Ok(NodeSummary {
        id: row.node_id("id")?,
        service: row.text("service")?,
        status: match row.parsed("status")? {
            // As a node that is read whole comes to be.
            Status::Migrating => Status::Restarting,
            status => status,
        },
        peer_id: row.some_text("peer_id")?,
        connected_peers: row.figure("connected_peers")?,
    })
}
