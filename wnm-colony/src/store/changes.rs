//! The changes that one transaction records.

use sea_orm::{DatabaseConnection, DbErr};

use super::columns::DecodeError;
use super::connection::begin_write;
use super::{CycleState, container_table, cycle_state, journal, machine_table, node_table};
use wnm_core::container::Container;
use wnm_core::event::Event;
use wnm_core::id::ContainerId;
use wnm_core::id::NodeId;
use wnm_core::machine::{Machine, MachineState};
use wnm_core::node::Node;
use wnm_core::quantity::UnixTime;

/// Everything that one step records. The store writes all of it or nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// New settings, if they changed.
    pub machine: Option<Machine>,
    /// What wnm keeps of the machine besides, where all of it is set anew.
    pub state: Option<MachineState>,
    /// When a node was last stopped for load, if one was. Does not change other settings.
    pub last_stopped_at: Option<UnixTime>,
    /// A new node number from a manager that never reuses numbers.
    pub highest_id: Option<NodeId>,
    /// New and changed nodes.
    pub nodes: Vec<Node>,
    /// Nodes to delete.
    pub deleted: Vec<NodeId>,
    /// New and changed containers.
    pub containers: Vec<Container>,
    /// Containers to delete. Their nodes must be deleted or moved by then.
    pub deleted_containers: Vec<ContainerId>,
    /// Events to append to the journal, in this order.
    pub events: Vec<Event>,
    /// State for the next cycle.
    pub cycle: Option<CycleState>,
    /// Deletes events older than this from the journal.
    pub prune_events_before: Option<UnixTime>,
}

/// The rows to write. Built completely before the transaction begins.
pub(super) struct Rows<'a> {
    machine: Option<machine_table::ActiveModel>,
    nodes: Vec<node_table::Model>,
    containers: Vec<container_table::ActiveModel>,
    changes: &'a Changes,
}

impl Changes {
    pub(super) fn rows(&self) -> Result<Rows<'_>, DecodeError> {
        let containers = self.containers.iter();
        Ok(Rows {
            machine: match &self.machine {
                Some(machine) => Some(machine_table::to_row(machine)?),
                None => None,
            },
            nodes: self
                .nodes
                .iter()
                .map(node_table::to_row)
                .collect::<Result<_, _>>()?,
            containers: containers.map(container_table::to_row).collect(),
            changes: self,
        })
    }
}

impl Rows<'_> {
    /// Writes everything in one transaction. Inserts a row after the rows it refers to, and deletes
    /// it before them.
    pub(super) async fn write(self, db: &DatabaseConnection) -> Result<(), DbErr> {
        let changes = self.changes;
        let transaction = begin_write(db).await?;
        if let Some(machine) = self.machine {
            machine_table::save(&transaction, machine).await?;
        }
        if let Some(state) = &changes.state {
            machine_table::save_state(&transaction, state).await?;
        }
        if let Some(at) = changes.last_stopped_at {
            machine_table::set_last_stopped_at(&transaction, at).await?;
        }
        if let Some(id) = changes.highest_id {
            machine_table::raise_highest_id(&transaction, id).await?;
        }
        container_table::save(&transaction, self.containers).await?;
        node_table::save(&transaction, self.nodes).await?;
        node_table::delete(&transaction, &changes.deleted).await?;
        container_table::delete(&transaction, &changes.deleted_containers).await?;
        if let Some(before) = changes.prune_events_before {
            journal::prune(&transaction, before).await?;
        }
        journal::append(&transaction, &changes.events).await?;
        if let Some(cycle) = &changes.cycle {
            cycle_state::save(&transaction, cycle).await?;
        }
        transaction.commit().await
    }
}
