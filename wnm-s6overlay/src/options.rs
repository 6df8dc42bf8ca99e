//! The settings that only this crate reads.

use wnm_core::container::{ContainerNetwork, UnknownNetwork};
use wnm_core::machine::{ConfigValue, ManagerSettings};
use wnm_core::option::{DefaultValue, OptionSpec, ValueKind};

pub(crate) const MAX_NODES: &str = "max_node_per_container";
pub(crate) const MIN_COUNT: &str = "min_container_count";
const IMAGE: &str = "docker_image";
pub(crate) const NETWORK: &str = "container_network";

/// The image, as the Python wnm has it.
const DEFAULT_IMAGE: &str = "iweave/antnode:latest";

pub(crate) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::of_manager(
        MAX_NODES,
        ValueKind::Positive,
        DefaultValue::Fixed("200"),
        "s6overlay: most nodes in a container; fixed at --init, as ports go by it",
    )
    .fixed(),
    OptionSpec::of_manager(
        MIN_COUNT,
        ValueKind::Count,
        DefaultValue::Fixed("1"),
        "s6overlay: containers there are from the start",
    ),
    OptionSpec::of_manager(
        IMAGE,
        ValueKind::Image,
        DefaultValue::Fixed(DEFAULT_IMAGE),
        "s6overlay: image of new containers",
    ),
    OptionSpec::of_manager(
        NETWORK,
        ValueKind::Choice(&ContainerNetwork::WORDS),
        DefaultValue::Fixed("host"),
        "s6overlay: how new containers are connected: published (a network of their own, node ports published) or host",
    ),
];

/// Their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContainerSettings {
    /// Most nodes in one container.
    pub max_nodes: u32,
    /// Containers there are from the start.
    pub min_count: u32,
    /// Image of new containers.
    pub image: Option<String>,
    /// How new containers are connected.
    pub network: ContainerNetwork,
}

impl ContainerSettings {
    /// Reads the settings; what is absent has its default.
    pub fn new(settings: &ManagerSettings) -> Result<Self, UnknownNetwork> {
        let network = settings.text(NETWORK).map(str::parse).transpose()?;
        Ok(Self {
            max_nodes: settings.count(MAX_NODES).unwrap_or(200),
            min_count: settings.count(MIN_COUNT).unwrap_or(1),
            image: match settings.get(IMAGE) {
                None => Some(DEFAULT_IMAGE.to_owned()),
                Some(ConfigValue::Text(image)) => Some(image.clone()),
                Some(_) => None,
            },
            network: network.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_has_the_default_that_help_shows() {
        let settings = ContainerSettings::new(&ManagerSettings::default()).unwrap();
        let ContainerSettings {
            max_nodes,
            min_count,
            image,
            network,
        } = settings;
        let read = [
            max_nodes.to_string(),
            min_count.to_string(),
            image.unwrap(),
            network.to_string(),
        ];
        let shown: Vec<String> = OPTIONS
            .iter()
            .map(|spec| spec.default.to_string())
            .collect();
        assert_eq!(read, shown[..]);
    }
}
