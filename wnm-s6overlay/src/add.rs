//! Creates a node's directories and its copy of the program. The start of a node writes its service.

use futures_util::stream::{self, StreamExt};
use wnm_core::fault;
use wnm_core::manager::{AddedNode, ManagerError};
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_host::install;

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
        let mut node = install::located(node, node.id.directory_name(), &self.context)?;
        node.container = Some(self.container_of(&node));
        let files = self.files.as_ref();
        install::make_directories(files, &node, &self.context.paths).await?;
        fault::point("s6overlay.add.directories");
        files
            .install_unless_same(&binary.path, &node.binary)
            .await?;
        fault::point("s6overlay.add.binary");
        Ok(node.into())
    }
}
