//! Creates a node's directories and its copy of the program. The start of a node writes its service.

use futures_util::stream::{self, StreamExt};
use wnm_core::fault;
use wnm_core::manager::{AddedNode, ManagerError};
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_host::layout;

use crate::S6Overlay;

/// How many nodes to create at once. Each copy waits for the disk, and several wait no longer than one.
const CONCURRENCY: usize = 16;

impl S6Overlay {
    pub(crate) async fn add_nodes(
        &self,
        nodes: &[Node],
        binary: &NodeBinary,
    ) -> Vec<Result<AddedNode, ManagerError>> {
        let added: Vec<_> = nodes
            .iter()
            .map(|node| self.add_node(node, binary))
            .collect();
        stream::iter(added).buffered(CONCURRENCY).collect().await
    }

    async fn add_node(&self, node: &Node, binary: &NodeBinary) -> Result<AddedNode, ManagerError> {
        let paths = &self.context.paths;
        layout::check_storage(paths)?;
        let (root_dir, log_dir) = (paths.node_dir(node.id), paths.log_dir(node.id));
        self.files.own_directory(&root_dir).await?;
        self.files.own_directory(&log_dir).await?;
        fault::point("s6overlay.add.directories");
        let copy = root_dir.join(self.context.program.name());
        self.files.install_unless_same(&binary.path, &copy).await?;
        fault::point("s6overlay.add.binary");
        Ok(AddedNode {
            service: node.id.directory_name(),
            binary: copy,
            root_dir,
            log_dir: Some(log_dir),
            ports: node.ports,
            container: Some(self.container_of(node)),
        })
    }
}
