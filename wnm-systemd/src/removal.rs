//! Nodes gone with everything that was their own.

use std::collections::BTreeSet;
use std::path::PathBuf;

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;

use crate::blocking::blocking;
use crate::conversation::TalkError;
use crate::making::Place;
use crate::unit::SLICE;
use crate::{Systemd, firewall, layout, looking, opening, unit_of};

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
        self.delete_rest(node).await
    }

    /// The same for all, with one stop, one disabling and one reload. What fails for one node is no reason to
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
        for node in ended {
            first = first.and(self.delete_rest(node).await);
        }
        first
    }

    /// The unit and what was put beside it.
    async fn delete_unit(&self, unit: &str) -> Result<(), ManagerError> {
        let path = self.unit_path(unit);
        if std::fs::symlink_metadata(&path).is_ok() {
            self.hands.delete_files(&[&path]).await?;
        }
        self.hands
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
        self.hands.delete_files(&[&self.unit_path(SLICE)]).await
    }

    async fn has_nodes(&self) -> Result<bool, ManagerError> {
        let dir = self.unit_dir.clone();
        blocking(move || Ok(!crate::found::unit_names(&dir)?.is_empty())).await
    }

    /// Logs, data and the port. Directories that wnm did not make are kept, and the error that ends an otherwise
    /// complete removal names them.
    async fn delete_rest(&self, node: &Node) -> Result<(), ManagerError> {
        let paths = &self.context.paths;
        let mut kept: BTreeSet<PathBuf> = BTreeSet::new();
        let logs = layout::log_dir(node, paths);
        if !logs.starts_with(&node.root_dir) {
            match layout::own_name(&paths.logs, &logs, node.id) {
                Some(name) => self.hands.delete_directory(&paths.logs, name).await?,
                None => {
                    kept.insert(logs);
                }
            }
        }
        fault::point("systemd.remove.logs");
        match layout::own_name(&paths.node_storage, &node.root_dir, node.id) {
            Some(name) => {
                self.hands
                    .delete_directory(&paths.node_storage, name)
                    .await?
            }
            None => {
                kept.insert(node.root_dir.clone());
            }
        }
        fault::point("systemd.remove.data");
        let opening = opening(node);
        let closed = self.context.firewall.close(&opening).await;
        closed.map_err(|error| firewall("closing", &opening, &error))?;
        let kept: Vec<String> = kept
            .iter()
            .filter(|path| std::fs::symlink_metadata(path).is_ok())
            .map(|path| path.display().to_string())
            .collect();
        if kept.is_empty() {
            return Ok(());
        }
        Err(ManagerError::Rejected {
            what: format!("removing {}", node.service),
            words: format!(
                "kept {}, which wnm did not make; delete by hand",
                kept.join(" and ")
            ),
        })
    }
}
