//! Creates containers.

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

/// The container's command beside s6. A HUP ends it, and the container with it; the exit of a node does not.
pub(crate) const COMMAND: [&str; 2] = ["sleep", "infinity"];

/// How much of s6's own output the engine keeps. Nodes write to their log directories.
const MAX_ENGINE_LOG: &str = "1m";

impl S6Overlay {
    /// Creates and starts a container. Removes it again if the engine refuses to start it.
    pub(crate) async fn create_container(&self, id: ContainerId) -> Result<(), ManagerError> {
        let name = id.to_string();
        let network = self.settings.network;
        let ports = self.block_ports(id)?;
        layout::check_storage(&self.context.paths)?;
        for (directory, _) in self.container_paths.mounts() {
            self.files.directory(directory).await?;
        }
        fault::point("s6overlay.container.directories");
        let request = self.create_request(id, network, &ports)?;
        match self.engine.create(&name, request).await {
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

    /// The ports of a container. Returns an error if they do not fit.
    pub(crate) fn block_ports(&self, id: ContainerId) -> Result<BlockPorts, ManagerError> {
        Ok(self.block(id)?.ports(&self.context.machine.ports)?)
    }

    /// The block of node numbers of a container.
    pub(crate) fn block(&self, id: ContainerId) -> Result<Block, ManagerError> {
        Block::of(id, self.nodes_per_container).ok_or_else(|| ManagerError::Rejected {
            what: format!("container {id}"),
            words: "its node numbers would be too large".to_owned(),
        })
    }

    /// The image for new containers.
    pub(crate) fn image(&self) -> Result<&str, ManagerError> {
        let image = self.settings.image.as_deref();
        image.ok_or_else(|| ManagerError::Rejected {
            what: "no image".to_owned(),
            words: "set one with --docker-image; build one with: wnm --dockerfile | docker build -t NAME -"
                .to_owned(),
        })
    }

    fn create_request(
        &self,
        id: ContainerId,
        network: ContainerNetwork,
        ports: &BlockPorts,
    ) -> Result<ContainerCreateBody, ManagerError> {
        let mounts = self
            .container_paths
            .mounts()
            .map(|(machine, container)| Mount {
                typ: Some(MountType::BIND),
                source: Some(machine.display().to_string()),
                target: Some(container.display().to_string()),
                ..Mount::default()
            });
        let published = match network {
            ContainerNetwork::Published => ports.node.0.get()..=ports.node.1.get(),
            #[allow(
                clippy::reversed_empty_ranges,
                reason = "an empty range: the host network publishes no ports"
            )]
            ContainerNetwork::Host => 1..=0,
        };
        // Published ports cannot reach the metrics servers, which listen on the container's loopback. The module
        // `probe` reads them from inside.
        let bindings: HashMap<String, Option<Vec<PortBinding>>> = published
            .map(|port| {
                let binding = PortBinding {
                    // Nodes listen on IPv4 only. Each further address family would cost another proxy per port.
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
                    ("max-size".to_owned(), MAX_ENGINE_LOG.to_owned()),
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
            labels: Some(self.container_set.labels(id, network)),
            exposed_ports: Some(bindings.into_keys().collect()),
            host_config: Some(host_config),
            ..ContainerCreateBody::default()
        })
    }
}
