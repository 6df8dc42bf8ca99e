//! Letting a colony go: its nodes run on, and nothing of wnm stays in another manager's way.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Colony, ColonyError};
use crate::observe::unmark_storage;
use crate::store::Changes;
use wnm_core::event::{Event, EventKind, Outcome};
use wnm_core::node::Node;
use wnm_core::quantity::{Seconds, UnixTime};
use wnm_host::files::beside;

/// How many seconds ahead a free name for the copy is looked for.
const NAMES_TRIED: u64 = 60;

/// What was let go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Released {
    /// The nodes, as they are.
    pub nodes: Vec<Node>,
    /// The database under its new name.
    pub copy: PathBuf,
}

impl Colony {
    /// Refuses while something is half done: nobody would finish it.
    pub async fn check_release(&self) -> Result<Vec<Node>, ColonyError> {
        let nodes = self.nodes().await?;
        let half_done = |node: &&Node| node.transition().is_some_and(|under_way| !under_way.acted);
        match nodes.iter().find(half_done) {
            Some(node) => Err(ColonyError::HalfDone {
                node: node.id.directory_name(),
                status: node.status(),
            }),
            None => Ok(nodes),
        }
    }

    /// Stops managing. Every node stays as it is: a service of its supervisor, running or not. What only wnm needs
    /// goes: limits on all nodes together, the mark in the storage, the lock; and the database gets another name,
    /// so that a line of cron that was forgotten does nothing.
    ///
    /// One that ends in the middle can be taken up again: until the database has its new name, it is a colony.
    pub async fn release(self) -> Result<Released, ColonyError> {
        let nodes = self.check_release().await?;
        let kind = self.machine.manager.clone();
        let released = self.manager.release(&nodes).await;
        released.map_err(|source| ColonyError::Manager { kind, source })?;
        let now = self.environment.clock.now();
        let event = Event::new(
            now,
            EventKind::Released,
            Outcome::Done,
            format!("{} nodes run on without wnm", nodes.len()),
        );
        let changes = Changes {
            events: vec![event],
            ..Changes::default()
        };
        self.store.record(&changes).await?;
        let Self {
            db,
            store,
            machine,
            lock,
            ..
        } = self;
        if let Ok(store) = Arc::try_unwrap(store) {
            store.close().await?;
        }
        let refused = |path: &Path, source| ColonyError::Storage {
            path: path.to_owned(),
            source,
        };
        let storage = &machine.node_storage;
        unmark_storage(storage).map_err(|source| refused(storage, source))?;
        let copy = put_aside(&db, now).map_err(|source| refused(&db, source))?;
        // Held until here, so that no other run had a half released colony.
        drop(lock);
        remove(&beside(&db, ".lock")).map_err(|source| refused(&db, source))?;
        Ok(Released { nodes, copy })
    }
}

/// Renames the database to a name that nothing has.
fn put_aside(db: &Path, now: UnixTime) -> io::Result<PathBuf> {
    for seconds in 0..NAMES_TRIED {
        let copy = beside(db, &format!(".released-{}", now.plus(Seconds(seconds))));
        if copy.symlink_metadata().is_err() {
            std::fs::rename(db, &copy)?;
            return Ok(copy);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        "every name for a copy is taken",
    ))
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
