//! The database `colony.db`. No other module contains SQL.
//!
//! It is an SQLite file with the three tables of the Python wnm, some extra columns and two extra
//! tables, so a colony can move from either program to the other. See [`Store`].

mod backup;
mod changes;
mod columns;
mod connection;
mod container_table;
mod cycle_state;
mod error;
mod export;
mod file;
mod journal;
mod machine_table;
mod manager_columns;
mod migrations;
mod node_row;
mod node_table;
mod open;
mod packed;
mod schema;
mod table_names;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sea_orm::{DatabaseConnection, DbErr};
use tempfile::TempDir;

pub use changes::Changes;
pub use cycle_state::CycleState;
pub use error::StoreError;
pub use journal::{EventQuery, JOURNAL_DAYS};

use columns::{Columns, DecodeError};
use connection::{BUSY_TIMEOUT, begin_write};
use wnm_core::clock::{Clock, SystemClock};
use wnm_core::container::Container;
use wnm_core::event::Event;
use wnm_core::id::NodeId;
use wnm_core::kind::ManagerKind;
use wnm_core::machine::{Machine, MachineState};
use wnm_core::node::Node;
use wnm_core::quantity::{Seconds, UnixTime};

/// What a database is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading and recording. Opening migrates the database if needed and keeps a copy of it first.
    ReadWrite,
    /// Reading only. The file never changes: if it needs a migration, or if its directory is not
    /// writable, the store reads a temporary copy.
    View,
}

/// An open database.
///
/// Only one process may write at a time (see [`crate::lock`]); others may read meanwhile. Call
/// [`close`](Self::close) when done, or SQLite may leave files beside the database.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    db: DatabaseConnection,
    access: Access,
    wait: Seconds,
    /// The directory of the temporary copy that a view reads.
    _copy: Option<TempDir>,
}

impl Store {
    /// Creates a database with all tables and no rows. The directory must exist.
    ///
    /// Fails with [`StoreError::Exists`] if the file exists and is not empty.
    pub async fn create(path: &Path) -> Result<Store, StoreError> {
        open::create(path, BUSY_TIMEOUT).await
    }

    /// Opens an existing database. Fails with [`StoreError::Missing`] if there is none.
    pub async fn open(path: &Path, access: Access) -> Result<Store, StoreError> {
        match access {
            Access::ReadWrite => open::for_writing(path, BUSY_TIMEOUT, SystemClock.now()).await,
            Access::View => open::for_viewing(path, BUSY_TIMEOUT).await,
        }
    }

    /// Writes the colony in `path` to a new database `target` that the Python wnm can open.
    /// Data that the Python wnm has no column for is left out.
    pub async fn export_for_python(path: &Path, target: &Path) -> Result<(), StoreError> {
        export::for_python(path, target).await
    }

    /// The path of the database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The machine's settings, or `None` if the database was never initialised.
    pub async fn machine(&self) -> Result<Option<Machine>, StoreError> {
        let row = self.db_result(machine_table::load(&self.db).await)?;
        row.as_ref()
            .map(machine_table::read)
            .transpose()
            .map_err(|error| self.decode_error(error))
    }

    /// What wnm keeps of the machine besides its settings; nothing for a database that was never initialised.
    pub async fn machine_state(&self) -> Result<MachineState, StoreError> {
        let row = self.db_result(machine_table::load(&self.db).await)?;
        let state = row.as_ref().map(machine_table::read_state).transpose();
        let state = state.map_err(|error| self.decode_error(error))?;
        Ok(state.unwrap_or_default())
    }

    /// All nodes, by number.
    ///
    /// Reads all rows as one JSON value. If any of it cannot be decoded, reads the rows again
    /// column by column, so that an error names the row and the column.
    pub async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let manager = self.default_manager().await?;
        match self.packed_nodes(&manager).await? {
            Some(nodes) => Ok(nodes),
            None => self.nodes_one_by_one(&manager).await,
        }
    }

    /// The manager for nodes whose rows name none.
    async fn default_manager(&self) -> Result<ManagerKind, StoreError> {
        let machine = self.db_result(machine_table::load(&self.db).await)?;
        match &machine {
            Some(row) => machine_table::read_manager(row).map_err(|error| self.decode_error(error)),
            None => Ok(machine_table::DEFAULT_MANAGER),
        }
    }

    /// Reads all nodes as one JSON value. `None` if any of it cannot be decoded.
    async fn packed_nodes(&self, manager: &ManagerKind) -> Result<Option<Vec<Node>>, StoreError> {
        let Some(packed) = self.db_result(node_table::load_packed(&self.db).await)? else {
            return Ok(None);
        };
        let rows = packed.rows(&node_table::POSITIONS);
        let nodes = rows.map(|row| {
            let row = Columns::packed(node_table::TABLE, row?);
            node_row::read(&row, manager).ok()
        });
        let mut nodes: Option<Vec<Node>> = nodes.collect();
        if let Some(nodes) = &mut nodes {
            nodes.sort_by_key(|node| node.id);
        }
        Ok(nodes)
    }

    /// Reads all nodes column by column. An error names the value that cannot be decoded.
    async fn nodes_one_by_one(&self, manager: &ManagerKind) -> Result<Vec<Node>, StoreError> {
        let rows = self.db_result(node_table::load(&self.db).await)?;
        rows.iter()
            .map(|row| node_row::read(&Columns::new(node_table::TABLE, row), manager))
            .collect::<Result<_, _>>()
            .map_err(|error| self.decode_error(error))
    }

    /// All containers, by number.
    pub async fn containers(&self) -> Result<Vec<Container>, StoreError> {
        let rows = self.db_result(container_table::load(&self.db).await)?;
        rows.iter()
            .map(container_table::read)
            .collect::<Result<_, _>>()
            .map_err(|error| self.decode_error(error))
    }

    /// What the last cycle stored for the next one.
    pub async fn cycle_state(&self) -> Result<CycleState, StoreError> {
        self.db_result(cycle_state::load(&self.db).await)
    }

    /// The newest events that match, oldest first.
    pub async fn events(&self, query: &EventQuery) -> Result<Vec<Event>, StoreError> {
        let rows = self.db_result(journal::load(&self.db, query).await)?;
        rows.iter()
            .rev()
            .map(journal::read)
            .collect::<Result<_, _>>()
            .map_err(|error| self.decode_error(error))
    }

    /// The nodes that have an event with this action at or after `since`.
    pub async fn nodes_with(
        &self,
        action: &str,
        since: UnixTime,
    ) -> Result<BTreeSet<NodeId>, StoreError> {
        let rows = self.db_result(journal::nodes_with(&self.db, action, since).await)?;
        rows.iter()
            .map(journal::read_node)
            .collect::<Result<_, _>>()
            .map_err(|error| self.decode_error(error))
    }

    /// Stores all changes in one transaction, or none of them.
    pub async fn record(&self, changes: &Changes) -> Result<(), StoreError> {
        self.check_writable()?;
        let rows = changes.rows().map_err(|error| self.decode_error(error))?;
        self.db_result(rows.write(&self.db).await)
    }

    /// Deletes the rows of all nodes. For use after a teardown.
    pub async fn clear_nodes(&self) -> Result<(), StoreError> {
        self.check_writable()?;
        self.db_result(self.delete_nodes().await)
    }

    async fn delete_nodes(&self) -> Result<(), DbErr> {
        let transaction = begin_write(&self.db).await?;
        node_table::clear(&transaction).await?;
        transaction.commit().await
    }

    /// Closes the database and waits until SQLite has removed its files beside it.
    pub async fn close(self) -> Result<(), StoreError> {
        let Self { path, db, wait, .. } = self;
        db.close()
            .await
            .map_err(|error| StoreError::from_db(&path, wait, error))
    }

    fn check_writable(&self) -> Result<(), StoreError> {
        match self.access {
            Access::ReadWrite => Ok(()),
            Access::View => Err(StoreError::ViewOnly(self.path.clone())),
        }
    }

    fn db_result<T>(&self, result: Result<T, DbErr>) -> Result<T, StoreError> {
        result.map_err(|error| StoreError::from_db(&self.path, self.wait, error))
    }

    fn decode_error(&self, error: DecodeError) -> StoreError {
        StoreError::from_decode(&self.path, error)
    }
}
