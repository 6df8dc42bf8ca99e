//! Removes nodes with everything they own.

use async_trait::async_trait;
use wnm_core::fault;
use wnm_core::firewall::Opening;
use wnm_core::manager::{ManagerError, Reset};
use wnm_core::node::Node;
use wnm_host::Removal;
use wnm_host::blocking;

use crate::add::Ownership;
use crate::client::ClientError;
use crate::unit::SLICE;
use crate::{Systemd, status, unit_of};

#[async_trait]
impl Reset for Systemd {
    /// Removes many nodes with one stop, one disable, one reload and few firewall changes. A
    /// failure on one node does not keep the others; the first error is returned.
    async fn remove_everything(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        let mut result = Ok(());
        let mut named = Vec::new();
        for node in nodes {
            match unit_of(node) {
                Ok(unit) => named.push((node, unit)),
                Err(error) => result = result.and(Err(error)),
            }
        }
        if named.is_empty() {
            return result;
        }
        let patterns = status::patterns(nodes);
        let units = self.client.units(&patterns).await?;
        let existing: Vec<String> = named
            .iter()
            .filter(|(_, unit)| units.contains_key(unit))
            .map(|(_, unit)| unit.clone())
            .collect();
        if !existing.is_empty() {
            match self.client.disable(&existing).await {
                // Leftover symlinks dangle once the unit files are gone, so continue.
                Err(error @ ClientError::Rejected { .. }) => result = result.and(Err(error.into())),
                // systemd may remember a unit whose file is gone. That must not block the others.
                Err(ClientError::NoSuchUnit(_)) => {}
                other => other?,
            }
            self.client.stop(&existing).await?;
        }
        let after = status::states(&self.client.units(&patterns).await?, nodes);
        let mut stopped = Vec::new();
        for (node, unit) in named {
            match after.get(&node.id) {
                Some(state) if status::is_stopped(state) => {
                    let deleted = self.delete_unit(&unit).await;
                    fault::point("systemd.remove.unit");
                    if deleted.is_ok() {
                        stopped.push(node);
                    }
                    result = result.and(deleted);
                }
                state => {
                    let words = format!("it is still {state:?} after the stop");
                    let what = format!("stopping {unit}");
                    result = result.and(Err(ManagerError::Rejected { what, words }));
                }
            }
        }
        result = result.and(self.remove_unused_slice().await);
        fault::point("systemd.remove.slice");
        result = result.and(self.reload().await);
        fault::point("systemd.remove.reloaded");
        let reset = self.client.reset_failed(&existing).await;
        result = result.and(reset.map_err(ManagerError::from));
        let mut ports = Vec::new();
        for node in stopped {
            let removal = self.delete_directories(node).await;
            if removal.is_ok() {
                ports.push(Opening::of(node));
            }
            result = result.and(removal.and_then(Removal::finish));
        }
        result.and(self.context.close_ports(&ports).await)
    }
}

impl Systemd {
    /// Stops the node, deletes its unit, logs and data, and closes its port.
    pub(crate) async fn remove_node(&self, node: &Node) -> Result<(), ManagerError> {
        let unit = &unit_of(node)?;
        self.stop_node(node).await?;
        self.delete_unit(unit).await?;
        fault::point("systemd.remove.unit");
        self.remove_unused_slice().await?;
        fault::point("systemd.remove.slice");
        self.reload().await?;
        fault::point("systemd.remove.reloaded");
        self.client.reset_failed(&[unit.to_owned()]).await?;
        let removal = self.delete_directories(node).await?;
        self.context.close_port(node).await?;
        removal.finish()
    }

    /// Deletes a unit file and its drop-ins.
    async fn delete_unit(&self, unit: &str) -> Result<(), ManagerError> {
        let path = self.unit_path(unit);
        if std::fs::symlink_metadata(&path).is_ok() {
            self.files.delete_files(&[&path]).await?;
        }
        self.files
            .delete_directory(&self.unit_dir, &format!("{unit}.d"))
            .await
    }

    /// Stops and deletes the slice if wnm wrote it and no node is left.
    async fn remove_unused_slice(&self) -> Result<(), ManagerError> {
        let (ownership, _) = self.ownership(SLICE).await?;
        if ownership != Ownership::Ours || self.any_node_unit().await? {
            return Ok(());
        }
        self.client.stop(&[SLICE.to_owned()]).await?;
        self.files.delete_files(&[&self.unit_path(SLICE)]).await
    }

    async fn any_node_unit(&self) -> Result<bool, ManagerError> {
        let dir = self.unit_dir.clone();
        blocking(move || Ok(!crate::discover::node_unit_names(&dir)?.is_empty())).await
    }

    /// Deletes logs and data. Keeps directories that wnm did not create; [`Removal::finish`] then
    /// returns an error that names them.
    async fn delete_directories<'a>(&'a self, node: &'a Node) -> Result<Removal<'a>, ManagerError> {
        let mut removal = Removal::of(node, &self.context.paths, self.files.as_ref());
        removal.logs().await?;
        fault::point("systemd.remove.logs");
        removal.data().await?;
        fault::point("systemd.remove.data");
        Ok(removal)
    }
}
