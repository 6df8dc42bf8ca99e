//! A node made: antctl chooses its name, and what came of the call is looked up.

use wnm_core::fault;
use wnm_core::kind::Mode;
use wnm_core::manager::{AddedNode, ManagerError};
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_host::layout;

use crate::caller::Call;
use crate::registry::Service;
use crate::{Antctl, arguments, words};

/// How often a node is added that antctl said it had added and then does not know: another call, made at the same
/// time by hand, wrote the registry back without it.
const TRIES: usize = 3;

impl Antctl {
    /// Makes the service of a node, or finds the one that an earlier add made for it.
    pub(crate) async fn make(
        &self,
        node: &Node,
        binary: &NodeBinary,
    ) -> Result<AddedNode, ManagerError> {
        if self.kind.mode() != Mode::Zen {
            layout::check_storage(&self.context.paths)?;
        }
        let args = arguments::add(self.kind, &self.context, node, binary)?;
        let mut service = self.service(node).await?;
        for _ in 0..TRIES {
            if service.is_some() {
                break;
            }
            let called = self
                .caller
                .act(Call::telling("add").args(args.clone()))
                .await;
            fault::point("antctl.add.called");
            service = self.service(node).await?;
            match (&service, called) {
                // Whatever it said, it is there.
                (Some(_), Ok(_)) => {}
                (Some(made), Err(error)) => {
                    tracing::warn!(service = made.name, %error, "added all the same");
                }
                (None, Ok(output)) => {
                    let name = words::added_name(&output.stdout);
                    tracing::warn!(?name, "antctl added a service and does not know it");
                }
                (None, Err(error)) => return Err(error),
            }
        }
        let Some(service) = service else {
            return Err(ManagerError::Rejected {
                what: format!("adding node {}", node.id),
                words: "antctl forgets it as soon as it is added; is antctl called by hand all \
                        the time?"
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

    /// What antctl has for a node.
    pub(crate) async fn service(&self, node: &Node) -> Result<Option<Service>, ManagerError> {
        let registry = self.caller.registry().await?;
        match registry.of(node) {
            Some(service) => Ok(Some(service.clone())),
            None if registry.unreadable == 0 => Ok(None),
            None => Err(ManagerError::Unreachable {
                supervisor: "antctl".to_owned(),
                reason: format!(
                    "it has services that cannot be read, and node {} may be one of them",
                    node.id
                ),
            }),
        }
    }
}
