//! What one cycle leaves for the next beside the rows: a value under a key.

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelBehavior, ActiveValue::Set, ConnectionTrait, DbErr, DeriveEntityModel,
    DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter, PrimaryKeyTrait,
};
use serde::{Deserialize, Serialize};

use wnm_core::machine::MachineLoad;
use wnm_core::quantity::UnixTime;

/// Key of the only value there is.
const KEY: &str = "cycle";

/// What one cycle leaves for the next.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CycleState {
    /// The boot it ran in; another one now means that the machine has been restarted.
    pub boot_id: Option<String>,
    /// The machine's counters at its time, as the probe that took them wrote them. Means run from there.
    pub counters: Option<serde_json::Value>,
    /// The load it measured, for reports.
    pub load: Option<MachineLoad>,
    /// When it was.
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

/// Reads it. One that cannot be read, as another version may leave, counts as none: the next cycle measures
/// anew, as a first one does.
pub(super) async fn load<C: ConnectionTrait>(db: &C) -> Result<CycleState, DbErr> {
    let Some(row) = Entity::find_by_id(KEY).one(db).await? else {
        return Ok(CycleState::default());
    };
    Ok(serde_json::from_str(&row.value).unwrap_or_else(|error| {
        tracing::warn!("what the last cycle left is forgotten: {error}");
        CycleState::default()
    }))
}

/// Writes it over the old one.
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
