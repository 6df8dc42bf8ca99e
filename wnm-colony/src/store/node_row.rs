//! From a row to a node, whoever wrote the row.

use std::path::PathBuf;

use semver::Version;

use super::columns::{Columns, DecodeError};
use super::machine_table::manager_of;
use wnm_core::id::ContainerId;
use wnm_core::kind::ManagerKind;
use wnm_core::node::{
    Desired, LifecycleRecord, LifecycleState, Node, NodeMeasurements, Observed, Status, Transition,
};
use wnm_core::ports::{NodePorts, Port};
use wnm_core::quantity::UnixTime;

/// Reads a node. `machine` is the manager of the machine, for rows that only name the supervisor.
pub(super) fn read(row: &Columns<'_>, machine: &ManagerKind) -> Result<Node, DecodeError> {
    let id = row.node_id("id")?;
    let manager = row.some_text("manager_type")?.unwrap_or_default();
    let root_dir = absolute(row, "root_dir", row.path("root_dir")?)?;
    let lifecycle = lifecycle(row)?;
    Ok(Node {
        id,
        manager: manager_of(&manager, machine).map_err(|error| row.error("manager_type", error))?,
        service: row.text("service")?,
        user: row.text("user")?,
        // Old rows hold the bare name of the program.
        binary: root_dir.join(row.path("binary")?),
        version: row
            .some_text("version")?
            .and_then(|text| read_version(&text)),
        log_dir: match row.some_text("log_dir")? {
            Some(log_dir) => Some(absolute(row, "log_dir", log_dir.into())?),
            None => None,
        },
        root_dir,
        ports: NodePorts {
            node: Port::try_from(row.whole("port")?).map_err(|error| row.error("port", error))?,
            metrics: some_port(row, "metrics_port")?,
            rpc: some_port(row, "rpc_port")?,
        },
        host: row.text("host")?,
        network: row.text("network")?,
        wallet: match row.some_text("wallet")? {
            Some(wallet) => Some(wallet.parse().map_err(|error| row.error("wallet", error))?),
            None => None,
        },
        peer_id: row.some_text("peer_id")?,
        container: match row.some_whole("container_id")? {
            Some(_) => Some(ContainerId(row.count("container_id", 0)?)),
            None => None,
        },
        environment: row.some_text("environment")?,
        lifecycle,
        measured: measurements(row)?,
        first_launch: row.time("age")?,
    })
}

fn lifecycle(row: &Columns<'_>) -> Result<LifecycleState, DecodeError> {
    let status: Status = row.parsed("status")?;
    let since = row.time("timestamp")?;
    if let Some(own) = own_record(row, since)? {
        let own = LifecycleState::from_record(own);
        if own.status() == status {
            return Ok(own);
        }
    }
    // The Python program writes the status alone; where it differs from the rest, it spoke last.
    Ok(LifecycleState::from_record(LifecycleRecord {
        last_start: row.some_time("last_start")?,
        failed_starts: row.count("failed_starts", 0)?,
        load_stops: row.count("load_stops", 0)?,
        ..LifecycleRecord::from_status(status, since)
    }))
}

/// How this program left the node; `None` where it never wrote the row.
fn own_record(row: &Columns<'_>, since: UnixTime) -> Result<Option<LifecycleRecord>, DecodeError> {
    if row.some_text("desired")?.is_none() {
        return Ok(None);
    }
    let transition = match row.some_text("transition")? {
        Some(_) => Some(Transition {
            kind: row.word("transition", |word| word.parse().ok())?,
            since: row.time("transition_since")?,
            acted: row.count("transition_acted", 0)? != 0,
        }),
        None => None,
    };
    Ok(Some(LifecycleRecord {
        desired: Desired {
            state: row.word("desired", |word| word.parse().ok())?,
            by: row.word("desired_by", |word| word.parse().ok())?,
            since: row.time("desired_since")?,
        },
        observed: Observed {
            state: row.word("observed", |word| word.parse().ok())?,
            at: row.time("observed_at")?,
        },
        transition,
        status_since: since,
        last_start: row.some_time("last_start")?,
        failed_starts: row.count("failed_starts", 0)?,
        load_stops: row.count("load_stops", 0)?,
    }))
}

fn measurements(row: &Columns<'_>) -> Result<NodeMeasurements, DecodeError> {
    Ok(NodeMeasurements {
        records: row.figure("records")?,
        uptime: row.figure("uptime")?,
        shunned: row.figure("shunned")?,
        connected_peers: row.figure("connected_peers")?,
        gets: row.figure("gets")?,
        puts: row.figure("puts")?,
        memory_mb: row.figure("mem")? as f64 / 100.0,
        cpu_percent: row.figure("cpu")? as f64 / 100.0,
        open_connections: row.figure("open_connections")?,
        total_peers: row.figure("total_peers")?,
        bad_peers: row.figure("bad_peers")?,
        relevant_records: row.figure("rel_records")?,
        max_records: row.figure("max_records")?,
        rewards: row.some_text("rewards")?,
        payment_count: row.figure("payment_count")?,
        live_time: row.figure("live_time")?,
        network_size: row.figure("network_size")?,
    })
}

/// What a node is deleted and run by must not depend on where the program was called.
fn absolute(
    row: &Columns<'_>,
    column: &'static str,
    path: PathBuf,
) -> Result<PathBuf, DecodeError> {
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(row.error(column, format!("'{}' is no absolute path", path.display())))
    }
}

/// Zero is what adopted nodes without such a port have.
fn some_port(row: &Columns<'_>, column: &'static str) -> Result<Option<Port>, DecodeError> {
    match row.some_whole(column)?.unwrap_or(0) {
        0 => Ok(None),
        number => Port::try_from(number)
            .map(Some)
            .map_err(|error| row.error(column, error)),
    }
}

fn read_version(text: &str) -> Option<Version> {
    let text = text.trim();
    Version::parse(text.strip_prefix('v').unwrap_or(text)).ok()
}
