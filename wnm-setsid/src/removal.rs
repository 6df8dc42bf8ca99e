//! A node gone with everything that was its own.

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;

use crate::{Setsid, layout};

impl Setsid {
    /// Ends the node, deletes its logs and then its data, and closes its port. Directories that wnm did not
    /// make are kept, and the error that ends an otherwise complete removal names them.
    pub(crate) async fn take_away(&self, node: &Node) -> Result<(), ManagerError> {
        self.end(node).await?;
        fault::point("setsid.remove.stopped");
        let paths = &self.context.paths;
        let mut kept = Vec::new();
        let logs = layout::log_dir(node, paths);
        if !logs.starts_with(&node.root_dir) {
            match layout::own_name(&paths.logs, &logs, node.id) {
                Some(name) => self.hands.delete_directory(&paths.logs, name).await?,
                None => kept.push(logs),
            }
        }
        fault::point("setsid.remove.logs");
        match layout::own_name(&paths.node_storage, &node.root_dir, node.id) {
            Some(name) => {
                self.hands
                    .delete_directory(&paths.node_storage, name)
                    .await?;
            }
            None => kept.push(node.root_dir.clone()),
        }
        fault::point("setsid.remove.data");
        self.close_port(node).await?;
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
