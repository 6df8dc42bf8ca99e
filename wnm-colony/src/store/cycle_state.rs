//! What one cycle stores for the next, besides settings and nodes: a JSON value under a key.

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelBehavior, ActiveValue::Set, ConnectionTrait, DbErr, DeriveEntityModel,
    DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter, PrimaryKeyTrait,
};
use serde::{Deserialize, Serialize};

use wnm_core::machine::MachineLoad;
use wnm_core::quantity::UnixTime;

/// The key of the only value.
const KEY: &str = "cycle";

/// What one cycle stores for the next.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CycleState {
    /// The boot id at the last cycle. If it differs now, the machine has restarted.
    pub boot_id: Option<String>,
    /// The machine's counters at the last cycle, in the probe's own format. The next means start
    /// there.
    pub counters: Option<serde_json::Value>,
    /// The load that the last cycle measured, for reports.
    pub load: Option<MachineLoad>,
    /// When the last cycle ran.
    pub last_cycle_at: Option<UnixTime>,
}

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "wnm_state")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub value: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Loads the state. If it cannot be decoded, perhaps because another version wrote it, returns the
/// default: the next cycle then measures like the first one.
pub(super) async fn load<C: ConnectionTrait>(db: &C) -> Result<CycleState, DbErr> {
    let Some(row) = Entity::find_by_id(KEY).one(db).await? else {
        return Ok(CycleState::default());
    };
    Ok(serde_json::from_str(&row.value).unwrap_or_else(|error| {
        tracing::warn!("cannot read the state of the last cycle: {error}");
        CycleState::default()
    }))
}

/// Replaces the state.
pub(super) async fn save<C: ConnectionTrait>(db: &C, state: &CycleState) -> Result<(), DbErr> {
    let value = serde_json::to_string(state).map_err(|error| DbErr::Json(error.to_string()))?;
    let row = ActiveModel {
        key: Set(KEY.to_owned()),
        value: Set(value),
    };
    Entity::insert(row)
        .on_conflict(
            OnConflict::column(Column::Key)
                .update_column(Column::Value)
                .to_owned(),
        )
        .exec_without_returning(db)
        .await?;
    Ok(())
}
