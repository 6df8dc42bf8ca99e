//! How a container is made.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountType, PortBinding,
};
use wnm_core::container::{BlockPorts, ContainerNetwork};
use wnm_core::fault;
use wnm_core::id::ContainerId;
use wnm_core::manager::ManagerError;
use wnm_host::layout;

use crate::{Block, S6Overlay};

/// What the container runs besides s6. It ends by a HUP and by nothing that happens to a node.
pub(crate) const COMMAND: [&str; 2] = ["sleep", "infinity"];

/// Most that the engine keeps of what s6 itself prints; nodes print to their log directories.
const LOG_SIZE: &str = "1m";

impl S6Overlay {
    /// Makes and starts a container. One that cannot be started is taken back.
    pub(crate) async fn make_container(&self, id: ContainerId) -> Result<(), ManagerError> {
        let name = id.to_string();
        let network = self.context.machine.containers.network;
        let ports = self.ports_of(id)?;
        layout::check_storage(&self.context.paths)?;
        for (here, _) in self.inside.mounts() {
            self.files.directory(here).await?;
        }
        fault::point("s6overlay.container.directories");
        let body = self.body(id, network, &ports)?;
        match self.engine.create(&name, body).await {
            Ok(_) => {}
            Err(ManagerError::NotFound(words)) => {
                let image = self.image()?;
                return Err(ManagerError::Rejected {
                    what: format!("image {image}"),
                    words: format!(
                        "{words}; pull it, or build it with: wnm --dockerfile | docker build -t {image} -"
                    ),
                });
            }
            Err(ManagerError::Rejected { words, .. }) if words.contains("already in use") => {
                return Err(ManagerError::Rejected {
                    what: format!("the name {name}"),
                    words: "belongs to a container that is not this colony's; rename or remove it"
                        .to_owned(),
                });
            }
            Err(error) => return Err(error),
        }
        fault::point("s6overlay.container.created");
        let started = self.engine.start(&name).await;
        if let Err(ManagerError::Rejected { .. } | ManagerError::NotFound(_)) = &started {
            self.engine.remove(&name).await?;
        }
        started
    }

    /// The ports of a container, or why it can have none.
    pub(crate) fn ports_of(&self, id: ContainerId) -> Result<BlockPorts, ManagerError> {
        Ok(self.block(id)?.ports(&self.context.machine.ports)?)
    }

    /// The numbers of the nodes that a container can have.
    pub(crate) fn block(&self, id: ContainerId) -> Result<Block, ManagerError> {
        Block::of(id, self.size).ok_or_else(|| ManagerError::Rejected {
            what: format!("container {id}"),
            words: "there are no such numbers of nodes".to_owned(),
        })
    }

    /// The image of containers that are yet to be made.
    pub(crate) fn image(&self) -> Result<&str, ManagerError> {
        let image = self.context.machine.containers.image.as_deref();
        image.ok_or_else(|| ManagerError::Rejected {
            what: "no image".to_owned(),
            words: "name one with --docker-image; 'wnm --dockerfile | docker build -t NAME -' makes one".to_owned(),
        })
    }

    fn body(
        &self,
        id: ContainerId,
        network: ContainerNetwork,
        ports: &BlockPorts,
    ) -> Result<ContainerCreateBody, ManagerError> {
        let mounts = self.inside.mounts().map(|(here, there)| Mount {
            typ: Some(MountType::BIND),
            source: Some(here.display().to_string()),
            target: Some(there.display().to_string()),
            ..Mount::default()
        });
        let published = match network {
            ContainerNetwork::Published => ports.node.0.get()..=ports.node.1.get(),
            #[allow(clippy::reversed_empty_ranges, reason = "nothing is published")]
            ContainerNetwork::Host => 1..=0,
        };
        // Metrics are served on the container's own loopback, which nothing published reaches: see `asking`.
        let bindings: HashMap<String, Option<Vec<PortBinding>>> = published
            .map(|port| {
                let binding = PortBinding {
                    // Nodes listen to nothing else, and for every family there would be one more proxy a port.
                    host_ip: Some("0.0.0.0".to_owned()),
                    host_port: Some(port.to_string()),
                };
                (format!("{port}/udp"), Some(vec![binding]))
            })
            .collect();
        let host_config = HostConfig {
            mounts: Some(mounts.collect()),
            network_mode: match network {
                ContainerNetwork::Published => None,
                ContainerNetwork::Host => Some("host".to_owned()),
            },
            log_config: Some(HostConfigLogConfig {
                typ: Some("json-file".to_owned()),
                config: Some(HashMap::from([
                    ("max-size".to_owned(), LOG_SIZE.to_owned()),
                    ("max-file".to_owned(), "1".to_owned()),
                ])),
            }),
            ..HostConfig::default()
        };
        let host_config = HostConfig {
            port_bindings: Some(bindings.clone()),
            ..host_config
        };
        Ok(ContainerCreateBody {
            image: Some(self.image()?.to_owned()),
            hostname: match network {
                ContainerNetwork::Published => Some(id.to_string()),
                ContainerNetwork::Host => None,
            },
            cmd: Some(COMMAND.map(str::to_owned).to_vec()),
            env: Some(vec![
                format!("ANT_UID={}", self.owner.uid),
                format!("ANT_GID={}", self.owner.gid),
            ]),
            labels: Some(self.colony.labels(id, network)),
            exposed_ports: Some(bindings.into_keys().collect()),
            host_config: Some(host_config),
            ..ContainerCreateBody::default()
        })
    }
}
