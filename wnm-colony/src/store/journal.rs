//! The journal of what was decided and done.

use sea_orm::{
    ActiveModelBehavior,
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DbErr, DeriveEntityModel, DerivePrimaryKey, DeriveRelation,
    EntityTrait, EnumIter, PrimaryKeyTrait, QueryFilter, QueryOrder, QueryResult, QuerySelect,
    QueryTrait,
};

use super::columns::{Columns, DecodeError};
use wnm_core::event::{Event, EventId, EventWords, Outcome};
use wnm_core::id::NodeId;
use wnm_core::quantity::UnixTime;

/// Days that events are worth keeping: long enough to look back at a month of adding and removing, short
/// enough that the journal of a busy colony stays within a few megabytes.
pub const JOURNAL_DAYS: u64 = 30;

const TABLE: &str = "wnm_event";

/// Rows in one statement, with 6 of the 32,766 values that one can have each.
const CHUNK: usize = 1000;

/// Which events are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventQuery {
    /// Only those of this time and later.
    pub since: Option<UnixTime>,
    /// Only those about this node.
    pub node: Option<NodeId>,
    /// Only those recorded after this one, to go on from what was read before.
    pub after: Option<EventId>,
    /// At most so many: the newest ones, or with `after` the next ones.
    pub limit: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "wnm_event")]
pub(super) struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub at: i64,
    pub node: Option<u32>,
    pub action: String,
    pub outcome: String,
    pub reason: String,
    pub detail: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The rows that fit, newest first: the newest ones, or the first after [`EventQuery::after`].
pub(super) async fn load<C: ConnectionTrait>(
    db: &C,
    query: &EventQuery,
) -> Result<Vec<QueryResult>, DbErr> {
    let mut select = Entity::find().limit(u64::from(query.limit));
    select = match query.after {
        Some(EventId(after)) => select
            .filter(Column::Id.gt(i64::try_from(after).unwrap_or(i64::MAX)))
            .order_by_asc(Column::Id),
        None => select.order_by_desc(Column::At).order_by_desc(Column::Id),
    };
    if let Some(since) = query.since {
        select = select.filter(Column::At.gte(since.0));
    }
    if let Some(node) = query.node {
        select = select.filter(Column::Node.eq(node.get()));
    }
    let mut rows = db.query_all(&select.into_query()).await?;
    if query.after.is_some() {
        rows.reverse();
    }
    Ok(rows)
}

/// The rows, of one value, for the nodes that an action was written down of at that time or later.
pub(super) async fn nodes_with<C: ConnectionTrait>(
    db: &C,
    action: &str,
    since: UnixTime,
) -> Result<Vec<QueryResult>, DbErr> {
    let select = Entity::find()
        .select_only()
        .column(Column::Node)
        .distinct()
        .filter(Column::Action.eq(action))
        .filter(Column::At.gte(since.0))
        .filter(Column::Node.is_not_null());
    db.query_all(&select.into_query()).await
}

/// Adds events, in their order.
pub(super) async fn append<C: ConnectionTrait>(db: &C, events: &[Event]) -> Result<(), DbErr> {
    for chunk in events.chunks(CHUNK) {
        Entity::insert_many(chunk.iter().map(to_row))
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

/// Drops what is older.
pub(super) async fn prune<C: ConnectionTrait>(db: &C, before: UnixTime) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::At.lt(before.0))
        .exec(db)
        .await
        .map(drop)
}

fn to_row(event: &Event) -> ActiveModel {
    let words = EventWords::of(event);
    ActiveModel {
        id: NotSet,
        at: Set(event.at.0),
        node: Set(event.node.map(NodeId::get)),
        action: Set(words.action),
        outcome: Set(event.outcome.as_str().to_owned()),
        reason: Set(words.reason),
        detail: Set(words.detail),
    }
}

/// The node that a row names.
pub(super) fn read_node(row: &QueryResult) -> Result<NodeId, DecodeError> {
    Columns::new(TABLE, row).node_id("node")
}

/// The event that a row holds.
pub(super) fn read(row: &QueryResult) -> Result<Event, DecodeError> {
    let row = Columns::new(TABLE, row);
    let words = EventWords {
        action: row.text("action")?,
        reason: row.some_text("reason")?.unwrap_or_default(),
        detail: row.some_text("detail")?,
    };
    let (kind, reason) = words.read();
    Ok(Event {
        seq: row
            .some_whole("id")?
            .and_then(|id| u64::try_from(id).ok())
            .map(EventId),
        at: row.time("at")?,
        node: NodeId::new(row.count("node", 0)?),
        kind,
        outcome: row.word("outcome", Outcome::from_word)?,
        reason,
    })
}
