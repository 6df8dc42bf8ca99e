use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::files::Files;
use super::layout;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::paths::Paths;

/// The directories of a node that is being removed. Those that wnm did not make are kept and told of at the end.
pub struct Removal<'a> {
    files: &'a dyn Files,
    paths: &'a Paths,
    node: &'a Node,
    kept: BTreeSet<PathBuf>,
}

impl<'a> Removal<'a> {
    /// Deletes nothing yet. Nothing of the node runs any more.
    pub fn of(node: &'a Node, paths: &'a Paths, files: &'a dyn Files) -> Self {
        Self {
            files,
            paths,
            node,
            kept: BTreeSet::new(),
        }
    }

    /// Deletes the logs, unless they are among the data.
    pub async fn logs(&mut self) -> Result<(), ManagerError> {
        let logs = layout::log_dir(self.node, self.paths);
        if logs.starts_with(&self.node.root_dir) {
            return Ok(());
        }
        self.directory(&self.paths.logs, logs).await
    }

    /// Deletes the data, the program with it.
    pub async fn data(&mut self) -> Result<(), ManagerError> {
        let data = self.node.root_dir.clone();
        self.directory(&self.paths.node_storage, data).await
    }

    /// The error that ends an otherwise complete removal: it names what was kept and is still there.
    pub fn finish(self) -> Result<(), ManagerError> {
        let kept: Vec<String> = self
            .kept
            .iter()
            .filter(|path| std::fs::symlink_metadata(path).is_ok())
            .map(|path| path.display().to_string())
            .collect();
        if kept.is_empty() {
            return Ok(());
        }
        Err(ManagerError::Rejected {
            what: format!("removing {}", self.node.service),
            words: format!(
                "kept {}, which wnm did not make; delete by hand",
                kept.join(" and ")
            ),
        })
    }

    async fn directory(&mut self, base: &Path, path: PathBuf) -> Result<(), ManagerError> {
        match layout::own_name(base, &path, self.node.id) {
            Some(name) => self.files.delete_directory(base, name).await,
            None => {
                self.kept.insert(path);
                Ok(())
            }
        }
    }
}
