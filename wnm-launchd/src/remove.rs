//! Removes nodes with everything they own.

use async_trait::async_trait;
use futures_util::StreamExt;
use wnm_core::fault;
use wnm_core::manager::{ManagerError, Reset};
use wnm_core::node::Node;
use wnm_host::Removal;

use crate::label::Label;
use crate::status::JobState;
use crate::{Launchd, path_exists};

/// How many jobs to unload concurrently.
const CONCURRENCY: usize = 8;

#[async_trait]
impl Reset for Launchd {
    /// Removes many nodes, unloading them concurrently. A failure on one node does not keep the
    /// others; the first error is returned.
    async fn remove_everything(&self, nodes: &[Node]) -> Result<(), ManagerError> {
        let mut result = Ok(());
        let mut named = Vec::new();
        for node in nodes {
            match Label::for_node(node) {
                Ok(label) => named.push((node, label)),
                Err(error) => result = result.and(Err(error)),
            }
        }
        let labels: Vec<Label> = named.iter().map(|(_, label)| label.clone()).collect();
        if labels.is_empty() {
            return result;
        }
        let jobs = self.loaded_jobs(&labels).await?;
        let loaded = labels
            .iter()
            .filter(|label| jobs.contains_key(&label.to_string()));
        let unloads =
            futures_util::stream::iter(loaded.cloned().collect::<Vec<_>>()).map(async |label| {
                match self.find_job(&label).await? {
                    JobState::Loaded(domain, _) => {
                        self.request_unload(domain, &label).await.map(drop)
                    }
                    JobState::NotLoaded => Ok(()),
                }
            });
        let requested: Vec<Result<(), ManagerError>> =
            unloads.buffer_unordered(CONCURRENCY).collect().await;
        for one in requested {
            result = result.and(one);
        }
        let remaining = self.wait_until_unloaded(&labels).await?;
        fault::point("launchd.remove.unloaded");
        for (node, label) in named {
            if remaining.contains(&label) {
                result = result.and(Err(ManagerError::Rejected {
                    what: format!("stopping {label}"),
                    words: "the job is still loaded".to_owned(),
                }));
                continue;
            }
            result = result.and(self.delete(node, &label).await);
        }
        result
    }
}

impl Launchd {
    /// Stops the node, deletes its job file, logs and data, and closes its port.
    pub(crate) async fn remove_node(&self, node: &Node) -> Result<(), ManagerError> {
        let label = &Label::for_node(node)?;
        if let JobState::Loaded(domain, _) = self.find_job(label).await? {
            self.unload_job(domain, label).await?;
        }
        fault::point("launchd.remove.unloaded");
        self.delete(node, label).await
    }

    /// Deletes what remains of a node whose job is unloaded. Keeps directories that wnm did not
    /// create, and returns an error that names them once the rest is gone.
    async fn delete(&self, node: &Node, label: &Label) -> Result<(), ManagerError> {
        let file = self.job_path(label);
        if path_exists(&file) {
            // Enable the label again, or it stays disabled for whoever uses it next.
            self.launchctl.enable(label).await?;
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
