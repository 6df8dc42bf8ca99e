//! The database, `colony.db`: the only code that speaks SQL.
//!
//! It is SQLite, in the three tables of the Python wnm with a few columns and two tables more, so that a
//! colony can go from either program to the other. See [`Store`].

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
mod migrations;
mod node_row;
mod node_table;
mod opening;
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

use columns::{Columns, Fault};
use connection::{BUSY_TIMEOUT, begin_write};
use wnm_core::clock::{Clock, SystemClock};
use wnm_core::container::Container;
use wnm_core::event::Event;
use wnm_core::id::NodeId;
use wnm_core::kind::ManagerKind;
use wnm_core::machine::Machine;
use wnm_core::node::Node;
use wnm_core::quantity::{Seconds, UnixTime};

/// What a database is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To record in it. It is migrated when it has to be, after a copy of it was kept.
    ReadWrite,
    /// To look at it. It is never changed: one that would have to be migrated, or that lies where nothing
    /// can be written, is copied to a temporary directory and looked at there.
    View,
}

/// An open database.
///
/// Writing is for one process at a time (see [`crate::lock`]); it may be viewed meanwhile. Call
/// [`close`](Self::close) when done, or the files that SQLite keeps beside it can stay behind.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    db: DatabaseConnection,
    access: Access,
    wait: Seconds,
    /// Where the copy is that a view looks at.
    _copy: Option<TempDir>,
}

impl Store {
    /// Makes a database with all tables and no rows. The file must be new or empty, its directory be there.
    pub async fn create(path: &Path) -> Result<Store, StoreError> {
        opening::create(path, BUSY_TIMEOUT).await
    }

    /// Opens a database; never makes one.
    pub async fn open(path: &Path, access: Access) -> Result<Store, StoreError> {
        match access {
            Access::ReadWrite => opening::to_write(path, BUSY_TIMEOUT, SystemClock.now()).await,
            Access::View => opening::to_look(path, BUSY_TIMEOUT).await,
        }
    }

    /// Writes what the Python wnm knows of the colony in `path` to a new database `target`.
    pub async fn export_for_python(path: &Path, target: &Path) -> Result<(), StoreError> {
        export::for_python(path, target).await
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The machine's settings; `None` for a database that was never initialised.
    pub async fn machine(&self) -> Result<Option<Machine>, StoreError> {
        let row = self.answer(machine_table::load(&self.db).await)?;
        row.as_ref()
            .map(machine_table::read)
            .transpose()
            .map_err(|fault| self.fault(fault))
    }

    /// Every node, by number. Read in one value, and value by value where something in it cannot be read.
    pub async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let manager = self.default_manager().await?;
        match self.packed_nodes(&manager).await? {
            Some(nodes) => Ok(nodes),
            None => self.nodes_one_by_one(&manager).await,
        }
    }

    /// The manager of the nodes whose rows do not name one.
    async fn default_manager(&self) -> Result<ManagerKind, StoreError> {
        let machine = self.answer(machine_table::load(&self.db).await)?;
        match &machine {
            Some(row) => machine_table::read_manager(row).map_err(|fault| self.fault(fault)),
            None => Ok(machine_table::DEFAULT_MANAGER),
        }
    }

    /// `None` when something cannot be read.
    async fn packed_nodes(&self, manager: &ManagerKind) -> Result<Option<Vec<Node>>, StoreError> {
        let Some(packed) = self.answer(node_table::load_packed(&self.db).await)? else {
            return Ok(None);
        };
        let rows = packed.rows(&node_table::PLACES);
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

    /// Names the value that cannot be read.
    async fn nodes_one_by_one(&self, manager: &ManagerKind) -> Result<Vec<Node>, StoreError> {
        let rows = self.answer(node_table::load(&self.db).await)?;
        rows.iter()
            .map(|row| node_row::read(&Columns::new(node_table::TABLE, row), manager))
            .collect::<Result<_, _>>()
            .map_err(|fault| self.fault(fault))
    }

    /// Every container, by number.
    pub async fn containers(&self) -> Result<Vec<Container>, StoreError> {
        let rows = self.answer(container_table::load(&self.db).await)?;
        rows.iter()
            .map(container_table::read)
            .collect::<Result<_, _>>()
            .map_err(|fault| self.fault(fault))
    }

    /// What the last cycle left.
    pub async fn cycle_state(&self) -> Result<CycleState, StoreError> {
        self.answer(cycle_state::load(&self.db).await)
    }

    /// The newest events that fit, oldest of them first.
    pub async fn events(&self, query: &EventQuery) -> Result<Vec<Event>, StoreError> {
        let rows = self.answer(journal::load(&self.db, query).await)?;
        rows.iter()
            .rev()
            .map(journal::read)
            .collect::<Result<_, _>>()
            .map_err(|fault| self.fault(fault))
    }

    /// The nodes of which the journal has this action at that time or later.
    pub async fn nodes_with(
        &self,
        action: &str,
        since: UnixTime,
    ) -> Result<BTreeSet<NodeId>, StoreError> {
        let rows = self.answer(journal::nodes_with(&self.db, action, since).await)?;
        rows.iter()
            .map(journal::read_node)
            .collect::<Result<_, _>>()
            .map_err(|fault| self.fault(fault))
    }

    /// Stores all changes, or none.
    pub async fn record(&self, changes: &Changes) -> Result<(), StoreError> {
        self.check_writable()?;
        let rows = changes.rows().map_err(|fault| self.fault(fault))?;
        self.answer(rows.write(&self.db).await)
    }

    /// Forgets every node, as after a teardown.
    pub async fn clear_nodes(&self) -> Result<(), StoreError> {
        self.check_writable()?;
        self.answer(self.forget_nodes().await)
    }

    async fn forget_nodes(&self) -> Result<(), DbErr> {
        let transaction = begin_write(&self.db).await?;
        node_table::clear(&transaction).await?;
        transaction.commit().await
    }

    /// Closes it and returns once SQLite has tidied up after itself.
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

    fn answer<T>(&self, result: Result<T, DbErr>) -> Result<T, StoreError> {
        result.map_err(|error| StoreError::from_db(&self.path, self.wait, error))
    }

    fn fault(&self, fault: Fault) -> StoreError {
        StoreError::from_fault(&self.path, fault)
    }
}
