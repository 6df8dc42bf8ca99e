//! Upgrades a node's program, and rolls back if the new one does not start.

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_host::{layout, rollback};

use crate::Launchd;
use crate::domain::Domain;
use crate::label::Label;
use crate::launchctl::{Details, Refusal};
use crate::node_output::NodeOutput;
use crate::status::JobState;

impl Launchd {
    /// Replaces the program and restarts the node if its job is loaded. The new program is written
    /// beside the old one and renamed, because macOS kills a process whose program file changes:
    /// its signature no longer matches. Keeps the old program until the new one has started once,
    /// now or later, so that a crash loses nothing.
    pub(crate) async fn upgrade_node(
        &self,
        node: &Node,
        to: &NodeBinary,
    ) -> Result<(), ManagerError> {
        let label = &Label::for_node(node)?;
        if !node.root_dir.is_dir() {
            return Err(ManagerError::NotFound(node.root_dir.display().to_string()));
        }
        let job_state = self.find_job(label).await?;
        let files = self.files.as_ref();
        let kept = || fault::point("launchd.upgrade.kept");
        rollback::replace(files, &to.path, &node.binary, kept).await?;
        fault::point("launchd.upgrade.replaced");
        let JobState::Loaded(domain, before) = job_state else {
            return Ok(());
        };
        let restarted = self.restart(node, label, domain, &before).await;
        let again = self.start_node(node);
        rollback::settle(files, &node.binary, restarted, again).await
    }

    /// Starts the node. If its program was replaced and does not start, restores the old one and
    /// starts that.
    pub(crate) async fn start_or_roll_back(&self, node: &Node) -> Result<(), ManagerError> {
        let start = || self.start_node(node);
        rollback::start(self.files.as_ref(), &node.binary, start).await
    }

    /// Restarts a node whose job is loaded. If its settings changed, reloads the job, because
    /// launchd reads the file only then.
    async fn restart(
        &self,
        node: &Node,
        label: &Label,
        domain: Domain,
        before: &Details,
    ) -> Result<(), ManagerError> {
        if !self.is_outdated(node, label, domain).await? {
            let logs = layout::log_dir(node, &self.context.paths);
            let output = logs.join(self.output_name());
            let output = NodeOutput::prepare(self.files.as_ref(), output).await?;
            match self.restart_job(domain, label).await {
                Ok(()) => {
                    fault::point("launchd.upgrade.restarted");
                    return self
                        .verify_stays_up(domain, label, &output, Some(before))
                        .await;
                }
                Err(error) => match error.refusal() {
                    Some(Refusal::NotLoaded | Refusal::Unsupported) => {}
                    _ => return Err(error.into()),
                },
            }
        }
        self.unload_job(domain, label).await?;
        self.load_and_verify(node, label).await
    }
}
