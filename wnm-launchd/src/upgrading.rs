//! Another program for a node, and the old one back when the new one does not start.

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_host::{layout, rollback};

use crate::Launchd;
use crate::domain::Domain;
use crate::label::Label;
use crate::launchctl::{Details, Meaning};
use crate::looking::Held;
use crate::output::Output;

impl Launchd {
    /// Replaces the program and restarts the node if it ran. The new program is put together beside the old one
    /// and renamed: macOS kills a process whose program is written to, since its signature no longer fits. The old
    /// program is kept until the new one has started once, in this act or in a later one: a crash in between loses
    /// nothing.
    pub(crate) async fn replace_program(
        &self,
        node: &Node,
        to: &NodeBinary,
    ) -> Result<(), ManagerError> {
        let label = &Label::of(node)?;
        if !node.root_dir.is_dir() {
            return Err(ManagerError::NotFound(node.root_dir.display().to_string()));
        }
        let held = self.held(label).await?;
        rollback::keep(self.files.as_ref(), &node.binary).await?;
        fault::point("launchd.upgrade.kept");
        let files = self.files.as_ref();
        let copied = files.install_unless_same(&to.path, &node.binary).await;
        rollback::after_copy(files, &node.binary, copied).await?;
        fault::point("launchd.upgrade.replaced");
        let Held::In(domain, before) = held else {
            return Ok(());
        };
        let restarted = self.restart(node, label, domain, &before).await;
        self.settle(node, restarted).await
    }

    /// Starts the node. If its program was replaced and does not start, the kept one is put back and started.
    pub(crate) async fn start_or_go_back(&self, node: &Node) -> Result<(), ManagerError> {
        let started = self.launch(node).await;
        self.settle(node, started).await
    }

    async fn settle(
        &self,
        node: &Node,
        started: Result<(), ManagerError>,
    ) -> Result<(), ManagerError> {
        let again = self.launch(node);
        rollback::settle(self.files.as_ref(), &node.binary, started, again).await
    }

    /// Restarts a node that launchd holds. What is set otherwise now reaches launchd only with the job taken anew.
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
            let output = Output::prepare(self.files.as_ref(), output).await?;
            match self.kick(domain, label).await {
                Ok(()) => {
                    fault::point("launchd.upgrade.restarted");
                    return self
                        .see_that_it_stays(domain, label, &output, Some(before))
                        .await;
                }
                Err(error) => match error.meaning() {
                    Some(Meaning::Gone | Meaning::Unsupported) => {}
                    _ => return Err(error.into()),
                },
            }
        }
        self.let_go(domain, label).await?;
        self.bring_up(node, label).await
    }
}
