//! Installing a node: where it goes, and the directories it writes to.

use wnm_core::manager::{ManagerContext, ManagerError};
use wnm_core::node::Node;
use wnm_core::paths::Paths;

use crate::files::Files;
use crate::layout;

/// The node under this service name, in the directories that wnm gives it.
///
/// # Errors
///
/// The node storage is not there.
pub fn located(
    node: &Node,
    service: String,
    context: &ManagerContext,
) -> Result<Node, ManagerError> {
    let paths = &context.paths;
    layout::check_storage(paths)?;
    let root_dir = paths.node_dir(node.id);
    Ok(Node {
        service,
        binary: root_dir.join(context.program.name()),
        log_dir: Some(paths.log_dir(node.id)),
        root_dir,
        ..node.clone()
    })
}

/// Creates the directories that a node writes to: data, logs and bootstrap cache.
///
/// # Errors
///
/// A directory could not be created.
pub async fn make_directories(
    files: &dyn Files,
    node: &Node,
    paths: &Paths,
) -> Result<(), ManagerError> {
    files.own_directory(&node.root_dir).await?;
    files.own_directory(&layout::log_dir(node, paths)).await?;
    files.directory(&paths.bootstrap_cache).await
}
