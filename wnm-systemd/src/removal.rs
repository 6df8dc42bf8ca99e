//! Nodes gone with everything that was their own.

use wnm_core::fault;
use wnm_core::firewall::Opening;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::Removal;
use wnm_host::blocking;

use crate::conversation::TalkError;
use crate::making::Place;
use crate::unit::SLICE;
use crate::{Systemd, looking, unit_of};

impl Systemd {
    /// Ends the node, deletes its unit, its logs and then its data, and closes its port.
    pub(crate) async fn take_away(&self, node: &Node) -> Result<(), ManagerError> {
        let unit = &unit_of(node)?;
        self.end(node).await?;
        self.delete_unit(unit).await?;
        fault::point("systemd.remove.unit");
        self.drop_slice().await?;
        fault::point("systemd.remove.slice");
        self.reload().await?;
        fault::point("systemd.remove.reloaded");
        self.talk.reset_failed(&[unit.to_owned()]).await?;
        let removal = self.delete_directories(node).await?;
        self.context.close_port(node).await?;
        removal.finish()
    }

    /// The same for all, with one stop, one disabling and one reload, and with few changes to the firewall. What fails for one node is no reason to
    /// keep another; the first failure is told.
    pub(crate) async fn take_all_away(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        let mut first = Ok(());
        let mut named = Vec::new();
        for node in nodes {
            match unit_of(node) {
                Ok(unit) => named.push((node, unit)),
                Err(error) => first = first.and(Err(error)),
            }
        }
        if named.is_empty() {
            return first;
        }
        let patterns = looking::patterns(nodes);
        let known = self.talk.units(&patterns).await?;
        let there: Vec<String> = named
            .iter()
            .filter(|(_, unit)| known.contains_key(unit))
            .map(|(_, unit)| unit.clone())
            .collect();
        if !there.is_empty() {
            match self.talk.disable(&there).await {
                // Links that are left lead nowhere once the units are gone.
                Err(error @ TalkError::Rejected { .. }) => first = first.and(Err(error.into())),
                // One that is gone from the disk but not from systemd's memory keeps none from being removed.
                Err(TalkError::NoSuchUnit(_)) => {}
                other => other?,
            }
            self.talk.stop(&there).await?;
        }
        let after = looking::states(&self.talk.units(&patterns).await?, nodes);
        let mut ended = Vec::new();
        for (node, unit) in named {
            match after.get(&node.id) {
                Some(state) if looking::is_still(state) => {
                    let deleted = self.delete_unit(&unit).await;
                    fault::point("systemd.remove.unit");
                    if deleted.is_ok() {
                        ended.push(node);
                    }
                    first = first.and(deleted);
                }
                state => {
                    let words = format!("it is {state:?} after the stop");
                    let what = format!("stopping {unit}");
                    first = first.and(Err(ManagerError::Rejected { what, words }));
                }
            }
        }
        first = first.and(self.drop_slice().await);
        fault::point("systemd.remove.slice");
        first = first.and(self.reload().await);
        fault::point("systemd.remove.reloaded");
        let forgotten = self.talk.reset_failed(&there).await;
        first = first.and(forgotten.map_err(ManagerError::from));
        let mut ports = Vec::new();
        for node in ended {
            let removal = self.delete_directories(node).await;
            if removal.is_ok() {
                ports.push(Opening::of(node));
            }
            first = first.and(removal.and_then(Removal::finish));
        }
        first.and(self.context.close_ports(&ports).await)
    }

    /// The unit and what was put beside it.
    async fn delete_unit(&self, unit: &str) -> Result<(), ManagerError> {
        let path = self.unit_path(unit);
        if std::fs::symlink_metadata(&path).is_ok() {
            self.files.delete_files(&[&path]).await?;
        }
        self.files
            .delete_directory(&self.unit_dir, &format!("{unit}.d"))
            .await
    }

    /// Without a node there is nothing to hold together.
    async fn drop_slice(&self) -> Result<(), ManagerError> {
        let (place, _) = self.place(SLICE).await?;
        if place != Place::Ours || self.has_nodes().await? {
            return Ok(());
        }
        self.talk.stop(&[SLICE.to_owned()]).await?;
        self.files.delete_files(&[&self.unit_path(SLICE)]).await
    }

    async fn has_nodes(&self) -> Result<bool, ManagerError> {
        let dir = self.unit_dir.clone();
        blocking(move || Ok(!crate::found::unit_names(&dir)?.is_empty())).await
    }

    /// Logs and data. Directories that wnm did not make are kept, and the error that ends an otherwise complete
    /// removal names them.
    async fn delete_directories<'a>(&'a self, node: &'a Node) -> Result<Removal<'a>, ManagerError> {
        let mut removal = Removal::of(node, &self.context.paths, self.files.as_ref());
        removal.logs().await?;
        fault::point("systemd.remove.logs");
        removal.data().await?;
        fault::point("systemd.remove.data");
        Ok(removal)
    }
}
