//! A node's directories and its copy of the program. Its service is written when it is started.

use futures_util::stream::{self, StreamExt};
use wnm_core::fault;
use wnm_core::manager::{AddedNode, ManagerError};
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_host::layout;

use crate::S6Overlay;

/// Nodes that are made at once: a copy is waited for until the disk has it, which takes several as long as one.
const AT_ONCE: usize = 16;

impl S6Overlay {
    pub(crate) async fn make_nodes(
        &self,
        nodes: &[Node],
        binary: &NodeBinary,
    ) -> Vec<Result<AddedNode, ManagerError>> {
        let made: Vec<_> = nodes
            .iter()
            .map(|node| self.make_node(node, binary))
            .collect();
        stream::iter(made).buffered(AT_ONCE).collect().await
    }

    async fn make_node(&self, node: &Node, binary: &NodeBinary) -> Result<AddedNode, ManagerError> {
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
