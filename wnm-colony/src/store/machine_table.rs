//! The machine's settings: one row, in the columns of the Python wnm and one of our own.

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelBehavior, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr,
    DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter, Iterable,
    PrimaryKeyTrait, QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait,
};

use super::columns::{Columns, DecodeError, stored, stored_path};
use super::manager_columns::{self, ManagerColumns};
use wnm_core::id::NodeId;
use wnm_core::kind::{InvalidKind, ManagerKind};
use wnm_core::machine::{
    Band, Delays, IoBands, Launch, Limits, Machine, MachineState, Pacing, RemovalStrategy,
    Thresholds,
};
use wnm_core::ports::{PortBase, PortBases};
use wnm_core::quantity::{ByteRate, Milliseconds, Seconds, UnixTime};

/// Number of the only row.
pub(super) const MACHINE_ID: u32 = 1;

const TABLE: &str = "machine";

/// Where the Python wnm looks for the node program by default; stored with its `~`.
const ANTNODE_PATH: &str = "~/.local/bin/antnode";

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "machine")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: u32,
    pub cpu_count: u32,
    pub node_cap: u32,
    pub cpu_less_than: f64,
    pub mem_less_than: f64,
    pub hd_less_than: f64,
    pub hdio_read_less_than: i64,
    pub hdio_write_less_than: i64,
    pub netio_read_less_than: i64,
    pub netio_write_less_than: i64,
    pub cpu_remove: f64,
    pub mem_remove: f64,
    pub hd_remove: f64,
    pub hdio_read_remove: i64,
    pub hdio_write_remove: i64,
    pub netio_read_remove: i64,
    pub netio_write_remove: i64,
    pub max_load_average_allowed: f64,
    pub desired_load_average: f64,
    pub delay_start: i64,
    pub delay_restart: i64,
    pub delay_upgrade: i64,
    pub delay_remove: i64,
    pub survey_delay: i64,
    pub action_delay: i64,
    pub node_storage: String,
    pub rewards_address: String,
    pub donate_address: String,
    pub port_start: i64,
    pub metrics_port_start: i64,
    pub rpc_port_start: i64,
    pub highest_node_id_used: Option<u32>,
    pub last_stopped_at: i64,
    pub host: String,
    pub crisis_bytes: i64,
    pub environment: Option<String>,
    pub start_args: Option<String>,
    pub max_concurrent_upgrades: u32,
    pub max_concurrent_starts: u32,
    pub max_concurrent_removals: u32,
    pub max_concurrent_operations: u32,
    pub node_removal_strategy: String,
    pub process_manager: Option<String>,
    pub max_node_per_container: u32,
    pub min_container_count: u32,
    pub docker_image: Option<String>,
    pub no_upnp: bool,
    pub antnode_path: Option<String>,
    pub antctl_path: Option<String>,
    pub antctl_debug: bool,
    pub antctl_version: Option<String>,
    pub firewall: String,
    pub container_network: String,
    pub fleet_memory_max: Option<String>,
    pub fleet_cpu_quota: Option<u32>,
    pub manager_settings: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The row as it is stored; `None` for a database that was never initialised.
pub(super) async fn load<C: ConnectionTrait>(db: &C) -> Result<Option<QueryResult>, DbErr> {
    let query = Entity::find()
        .order_by_asc(Column::Id)
        .limit(1)
        .into_query();
    db.query_one(&query).await
}

/// Writes the settings, in a new row or over those of the old one. What wnm itself keeps there stays.
pub(super) async fn save<C: ConnectionTrait>(db: &C, row: ActiveModel) -> Result<(), DbErr> {
    use Column::{HighestNodeIdUsed, Id, LastStoppedAt};
    let rest =
        Column::iter().filter(|column| !matches!(column, Id | HighestNodeIdUsed | LastStoppedAt));
    Entity::insert(row)
        .on_conflict(
            OnConflict::column(Column::Id)
                .update_columns(rest)
                .to_owned(),
        )
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Writes what wnm itself keeps, and nothing else of the row.
pub(super) async fn save_state<C: ConnectionTrait>(
    db: &C,
    state: &MachineState,
) -> Result<(), DbErr> {
    let highest = state.highest_id.map(NodeId::get);
    let stopped = state.last_stopped_at.unwrap_or_default();
    Entity::update_many()
        .col_expr(Column::HighestNodeIdUsed, Expr::value(highest))
        .col_expr(Column::LastStoppedAt, Expr::value(stopped.0))
        .filter(Column::Id.eq(MACHINE_ID))
        .exec(db)
        .await?;
    Ok(())
}

/// Writes when a node was last stopped for load, and nothing else of the row.
pub(super) async fn set_last_stopped_at<C: ConnectionTrait>(
    db: &C,
    at: UnixTime,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::LastStoppedAt, Expr::value(at.0))
        .filter(Column::Id.eq(MACHINE_ID))
        .exec(db)
        .await?;
    Ok(())
}

/// Writes the highest number ever given, unless a higher one stands there.
pub(super) async fn raise_highest_id<C: ConnectionTrait>(db: &C, id: NodeId) -> Result<(), DbErr> {
    let highest = Column::HighestNodeIdUsed;
    Entity::update_many()
        .col_expr(highest, Expr::value(id.get()))
        .filter(Column::Id.eq(MACHINE_ID))
        .filter(
            Condition::any()
                .add(highest.is_null())
                .add(highest.lt(id.get())),
        )
        .exec(db)
        .await?;
    Ok(())
}

/// The row for the settings.
pub(super) fn to_row(machine: &Machine) -> Result<ActiveModel, DecodeError> {
    let path = |column, path| stored_path(TABLE, MACHINE_ID, column, path);
    let own = ManagerColumns::of(&machine.manager_settings);
    let Thresholds {
        cpu,
        memory,
        disk,
        disk_io,
        net_io,
        load,
    } = machine.thresholds;
    Ok(ActiveModel {
        id: Set(MACHINE_ID),
        cpu_count: Set(machine.cpu_count),
        node_cap: Set(machine.node_cap),
        cpu_less_than: Set(cpu.add_below.get()),
        mem_less_than: Set(memory.add_below.get()),
        hd_less_than: Set(disk.add_below.get()),
        hdio_read_less_than: Set(stored(disk_io.read.add_below.0)),
        hdio_write_less_than: Set(stored(disk_io.write.add_below.0)),
        netio_read_less_than: Set(stored(net_io.read.add_below.0)),
        netio_write_less_than: Set(stored(net_io.write.add_below.0)),
        cpu_remove: Set(cpu.remove_above.get()),
        mem_remove: Set(memory.remove_above.get()),
        hd_remove: Set(disk.remove_above.get()),
        hdio_read_remove: Set(stored(disk_io.read.remove_above.0)),
        hdio_write_remove: Set(stored(disk_io.write.remove_above.0)),
        netio_read_remove: Set(stored(net_io.read.remove_above.0)),
        netio_write_remove: Set(stored(net_io.write.remove_above.0)),
        max_load_average_allowed: Set(load.remove_above.get()),
        desired_load_average: Set(load.add_below.get()),
        delay_start: Set(stored(machine.delays.start.0)),
        delay_restart: Set(stored(machine.delays.restart.0)),
        delay_upgrade: Set(stored(machine.delays.upgrade.0)),
        delay_remove: Set(stored(machine.delays.remove.0)),
        survey_delay: Set(stored(machine.pacing.survey.0)),
        action_delay: Set(stored(machine.pacing.action.0)),
        node_storage: Set(path("node_storage", &machine.node_storage)?),
        rewards_address: Set(machine.rewards.to_string()),
        donate_address: Set(machine.donate_address.to_string()),
        port_start: Set(machine.ports.node.thousands().into()),
        metrics_port_start: Set(machine.ports.metrics.thousands().into()),
        rpc_port_start: Set(machine.ports.rpc.thousands().into()),
        // For a new row; see `save`.
        highest_node_id_used: Set(None),
        last_stopped_at: Set(0),
        host: Set(machine.host.clone()),
        crisis_bytes: Set(stored(machine.crisis_bytes)),
        // The Python program stores what is not given as an empty text.
        environment: Set(Some(machine.launch.environment.clone().unwrap_or_default())),
        start_args: Set(Some(machine.launch.start_args.clone().unwrap_or_default())),
        max_concurrent_upgrades: Set(machine.limits.upgrades),
        max_concurrent_starts: Set(machine.limits.starts),
        max_concurrent_removals: Set(machine.limits.removals),
        max_concurrent_operations: Set(machine.limits.operations),
        node_removal_strategy: Set(machine.removal_strategy.to_string()),
        process_manager: Set(Some(machine.manager.to_string())),
        max_node_per_container: Set(own.max_node_per_container),
        min_container_count: Set(own.min_container_count),
        docker_image: Set(own.docker_image),
        no_upnp: Set(machine.launch.no_upnp),
        antnode_path: Set(Some(path("antnode_path", &machine.antnode_path)?)),
        antctl_path: Set(Some(own.antctl_path)),
        antctl_debug: Set(own.antctl_debug),
        antctl_version: Set(own.antctl_version),
        firewall: Set(machine.firewall.to_string()),
        container_network: Set(own.container_network),
        fleet_memory_max: Set(own.fleet_memory_max),
        fleet_cpu_quota: Set(own.fleet_cpu_quota),
        manager_settings: Set(own.others),
    })
}

/// The settings that a row holds. Whether they make sense together is not asked here: a row that does not
/// is mended with the program, which has to read it for that.
pub(super) fn read(row: &QueryResult) -> Result<Machine, DecodeError> {
    let row = Columns::new(TABLE, row);
    let byte_band = |below, above| -> Result<Band<ByteRate>, DecodeError> {
        Ok(Band {
            add_below: ByteRate(row.count(below, 0)?),
            remove_above: ByteRate(row.count(above, 0)?),
        })
    };
    let seconds = |column, absent| row.count(column, absent).map(Seconds);
    let milliseconds = |column| row.count(column, 0).map(Milliseconds);
    Ok(Machine {
        cpu_count: row.count("cpu_count", 1)?,
        node_cap: row.count("node_cap", 0)?,
        thresholds: Thresholds {
            cpu: band(&row, "cpu_less_than", "cpu_remove")?,
            memory: band(&row, "mem_less_than", "mem_remove")?,
            disk: band(&row, "hd_less_than", "hd_remove")?,
            disk_io: IoBands {
                read: byte_band("hdio_read_less_than", "hdio_read_remove")?,
                write: byte_band("hdio_write_less_than", "hdio_write_remove")?,
            },
            net_io: IoBands {
                read: byte_band("netio_read_less_than", "netio_read_remove")?,
                write: byte_band("netio_write_less_than", "netio_write_remove")?,
            },
            load: band(&row, "desired_load_average", "max_load_average_allowed")?,
        },
        delays: Delays {
            start: seconds("delay_start", 300)?,
            restart: seconds("delay_restart", 600)?,
            upgrade: seconds("delay_upgrade", 300)?,
            remove: seconds("delay_remove", 300)?,
        },
        limits: Limits {
            upgrades: row.count("max_concurrent_upgrades", 1)?,
            starts: row.count("max_concurrent_starts", 1)?,
            removals: row.count("max_concurrent_removals", 1)?,
            operations: row.count("max_concurrent_operations", 1)?,
        },
        pacing: Pacing {
            survey: milliseconds("survey_delay")?,
            action: milliseconds("action_delay")?,
        },
        node_storage: row.path("node_storage")?,
        rewards: row.parsed("rewards_address")?,
        donate_address: row.parsed("donate_address")?,
        ports: PortBases {
            node: port_base(&row, "port_start")?,
            metrics: port_base(&row, "metrics_port_start")?,
            rpc: port_base(&row, "rpc_port_start")?,
        },
        host: row.text("host")?,
        crisis_bytes: row.count("crisis_bytes", 0)?,
        launch: Launch {
            environment: row.some_text("environment")?,
            start_args: row.some_text("start_args")?,
            no_upnp: row.count("no_upnp", 0)? != 0,
        },
        removal_strategy: row
            .some_text("node_removal_strategy")?
            .and_then(|word| word.parse::<RemovalStrategy>().ok())
            .unwrap_or_default(),
        manager: manager(&row)?,
        manager_settings: manager_columns::read(&row)?,
        antnode_path: row
            .some_text("antnode_path")?
            .unwrap_or_else(|| ANTNODE_PATH.to_owned())
            .into(),
        firewall: row.parsed("firewall")?,
    })
}

/// What wnm itself keeps in a row.
pub(super) fn read_state(row: &QueryResult) -> Result<MachineState, DecodeError> {
    let row = Columns::new(TABLE, row);
    Ok(MachineState {
        highest_id: NodeId::new(row.count("highest_node_id_used", 0)?),
        last_stopped_at: row
            .some_time("last_stopped_at")?
            .filter(|time| *time != UnixTime::default()),
    })
}

/// The manager of the machine that a row holds.
pub(super) fn read_manager(row: &QueryResult) -> Result<ManagerKind, DecodeError> {
    manager(&Columns::new(TABLE, row))
}

/// The manager of a database that names none, as the Python wnm has it.
pub(super) const DEFAULT_MANAGER: ManagerKind =
    ManagerKind::from_static(if cfg!(target_os = "macos") {
        "launchd+user"
    } else {
        "systemd+user"
    });

fn manager(row: &Columns<'_>) -> Result<ManagerKind, DecodeError> {
    let word = row.some_text("process_manager")?.unwrap_or_default();
    manager_of(&word, &DEFAULT_MANAGER).map_err(|error| row.error("process_manager", error))
}

/// Reads a manager. What a word leaves open is taken from `context`: everything when it is empty; the mode
/// when it only names the supervisor, as for nodes that the Python program adopted, provided that `context`
/// is of the same supervisor.
pub(super) fn manager_of(word: &str, context: &ManagerKind) -> Result<ManagerKind, InvalidKind> {
    let word = word.trim();
    if word.contains('+') {
        return word.parse();
    }
    if word.is_empty() || word == context.supervisor() {
        return Ok(context.clone());
    }
    format!("{word}+user")
        .parse()
        .map_err(|_| InvalidKind(word.to_owned()))
}

fn band<T: TryFrom<f64, Error: std::fmt::Display>>(
    row: &Columns<'_>,
    below: &'static str,
    above: &'static str,
) -> Result<Band<T>, DecodeError> {
    Ok(Band {
        add_below: row.number(below)?,
        remove_above: row.number(above)?,
    })
}

fn port_base(row: &Columns<'_>, column: &'static str) -> Result<PortBase, DecodeError> {
    PortBase::from_number(row.whole(column)?).map_err(|error| row.error(column, error))
}
