//! Nodes gone with everything that was their own.

use futures_util::StreamExt;
use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::Removal;

use crate::label::Label;
use crate::looking::Held;
use crate::{Launchd, is_taken};

/// Jobs that launchd is asked to let go of at once.
const AT_ONCE: usize = 8;

impl Launchd {
    /// Ends the node, deletes the file of its job, its logs and then its data, and closes its port.
    pub(crate) async fn take_away(&self, node: &Node) -> Result<(), ManagerError> {
        let label = &Label::of(node)?;
        if let Held::In(domain, _) = self.held(label).await? {
            self.let_go(domain, label).await?;
        }
        fault::point("launchd.remove.unloaded");
        self.delete(node, label).await
    }

    /// The same for all, waiting for all of them to end at once. What fails for one node is no reason to keep
    /// another; the first failure is told.
    pub(crate) async fn take_all_away(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        let mut first = Ok(());
        let mut named = Vec::new();
        for node in nodes {
            match Label::of(node) {
                Ok(label) => named.push((node, label)),
                Err(error) => first = first.and(Err(error)),
            }
        }
        let labels: Vec<Label> = named.iter().map(|(_, label)| label.clone()).collect();
        if labels.is_empty() {
            return first;
        }
        let jobs = self.holding(&labels).await?;
        let held = labels
            .iter()
            .filter(|label| jobs.contains_key(&label.to_string()));
        let asks =
            futures_util::stream::iter(held.cloned().collect::<Vec<_>>()).map(async |label| {
                match self.held(&label).await? {
                    Held::In(domain, _) => self.ask_to_let_go(domain, &label).await.map(drop),
                    Held::Nowhere => Ok(()),
                }
            });
        let asked: Vec<Result<(), ManagerError>> = asks.buffer_unordered(AT_ONCE).collect().await;
        for one in asked {
            first = first.and(one);
        }
        let left = self.let_go_of_all(&labels).await?;
        fault::point("launchd.remove.unloaded");
        for (node, label) in named {
            if left.contains(&label) {
                first = first.and(Err(ManagerError::Rejected {
                    what: format!("stopping {label}"),
                    words: "launchd still holds it".to_owned(),
                }));
                continue;
            }
            first = first.and(self.delete(node, &label).await);
        }
        first
    }

    /// What is left of a node that launchd no longer holds. Directories that wnm did not make are kept, and the
    /// error that ends an otherwise complete removal names them.
    async fn delete(&self, node: &Node, label: &Label) -> Result<(), ManagerError> {
        let file = self.file_of(label);
        if is_taken(&file) {
            // Otherwise the label of a node that was stopped stays barred, for whoever uses it next.
            self.talk.enable(label).await?;
            self.files.delete_files(&[&file]).await?;
        }
        fault::point("launchd.remove.file");
        let mut removal = Removal::of(node, &self.context.paths, self.files.as_ref());
        removal.logs().await?;
        fault::point("launchd.remove.logs");
        removal.data().await?;
        fault::point("launchd.remove.data");
        self.context.close_port(node).await?;
        removal.finish()
    }
}
