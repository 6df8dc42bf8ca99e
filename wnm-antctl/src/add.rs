//! Adds nodes. antctl chooses the service name, and the registry shows whether the add succeeded.

use wnm_core::fault;
use wnm_core::kind::Mode;
use wnm_core::manager::{AddedNode, ManagerError};
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_host::layout;

use crate::client::Call;
use crate::registry::Service;
use crate::{Antctl, arguments, output};

/// How often to add a node that antctl reports as added but then does not list: a concurrent call by hand wrote
/// the registry back without it.
const ATTEMPTS: usize = 3;

impl Antctl {
    /// Adds a service for the node, or returns the one that an earlier add made.
    pub(crate) async fn add_service(
        &self,
        node: &Node,
        binary: &NodeBinary,
    ) -> Result<AddedNode, ManagerError> {
        if self.kind.mode() != Mode::Zen {
            layout::check_storage(&self.context.paths)?;
        }
        let args = arguments::add(&self.kind, &self.context, node, binary)?;
        let mut service = self.find_service(node).await?;
        for _ in 0..ATTEMPTS {
            if service.is_some() {
                break;
            }
            let result = self
                .client
                .run_ok(Call::new("add").args(args.clone()))
                .await;
            fault::point("antctl.add.called");
            service = self.find_service(node).await?;
            match (&service, result) {
                // The service exists, whatever antctl said.
                (Some(_), Ok(_)) => {}
                (Some(service), Err(error)) => {
                    tracing::warn!(service = service.name, %error, "antctl failed but added the service");
                }
                (None, Ok(output)) => {
                    let name = output::added_name(&output.stdout);
                    tracing::warn!(
                        ?name,
                        "antctl reported an added service but does not list it"
                    );
                }
                (None, Err(error)) => return Err(error),
            }
        }
        let Some(service) = service else {
            return Err(ManagerError::Rejected {
                what: format!("adding node {}", node.id),
                words: "antctl does not list the service after adding it; check whether something \
                        else keeps calling antctl"
                    .to_owned(),
            });
        };
        self.context.open_port(node).await?;
        Ok(AddedNode {
            ports: service.ports().unwrap_or(node.ports),
            service: service.name,
            binary: service.program,
            root_dir: service.data_dir,
            log_dir: service.log_dir,
            container: None,
        })
    }

    /// The node's service in antctl's registry, if it has one.
    pub(crate) async fn find_service(&self, node: &Node) -> Result<Option<Service>, ManagerError> {
        let registry = self.client.registry().await?;
        match registry.service_for(node) {
            Some(service) => Ok(Some(service.clone())),
            None if registry.unreadable == 0 => Ok(None),
            None => Err(ManagerError::Unreachable {
                supervisor: "antctl".to_owned(),
                reason: format!(
                    "it lists services that wnm cannot parse, and node {} may be one of them",
                    node.id
                ),
            }),
        }
    }
}
