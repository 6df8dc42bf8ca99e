//! Adds nodes: directories and program.

use wnm_core::fault;
use wnm_core::manager::{AddedNode, ManagerError};
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_host::install;

use crate::Setsid;

impl Setsid {
    pub(crate) async fn add_node(
        &self,
        node: &Node,
        binary: &NodeBinary,
    ) -> Result<AddedNode, ManagerError> {
        let node = install::located(node, node.id.directory_name(), &self.context)?;
        let files = self.files.as_ref();
        install::make_directories(files, &node, &self.context.paths).await?;
        fault::point("setsid.add.directories");
        files
            .install_unless_same(&binary.path, &node.binary)
            .await?;
        fault::point("setsid.add.binary");
        Ok(node.into())
    }
}
