//! Settings of single managers. Those that the Python wnm has, and a few of ours, are columns of the machine; those of
//! other managers are in one column, as JSON.

use std::collections::BTreeMap;

use super::columns::{Columns, DecodeError};
use wnm_core::container::ContainerNetwork;
use wnm_core::machine::{ConfigValue, ManagerSettings, MemoryLimit};

/// Where the Python wnm looks for antctl by default; stored with its `~`.
const ANTCTL_PATH: &str = "~/.local/bin/antctl";

/// Those that are columns.
const COLUMNS: [&str; 9] = [
    "max_node_per_container",
    "min_container_count",
    "docker_image",
    "antctl_path",
    "antctl_debug",
    "antctl_version",
    "container_network",
    "fleet_memory_max",
    "fleet_cpu_quota",
];

/// The column of all others.
const OTHERS: &str = "manager_settings";

/// The settings as they are stored. What is absent gets the value that the Python wnm inserts.
pub(super) struct ManagerColumns {
    pub max_node_per_container: u32,
    pub min_container_count: u32,
    pub docker_image: Option<String>,
    pub antctl_path: String,
    pub antctl_debug: bool,
    pub antctl_version: Option<String>,
    pub container_network: String,
    pub fleet_memory_max: Option<String>,
    pub fleet_cpu_quota: Option<u32>,
    pub others: String,
}

impl ManagerColumns {
    /// The columns for these settings.
    pub fn of(settings: &ManagerSettings) -> Self {
        let text = |name| settings.text(name).map(str::to_owned);
        let others: BTreeMap<&str, &ConfigValue> = settings
            .iter()
            .filter(|(name, _)| !COLUMNS.contains(name))
            .collect();
        Self {
            max_node_per_container: settings.count("max_node_per_container").unwrap_or(200),
            min_container_count: settings.count("min_container_count").unwrap_or(1),
            docker_image: text("docker_image"),
            antctl_path: text("antctl_path").unwrap_or_else(|| ANTCTL_PATH.to_owned()),
            antctl_debug: settings.flag("antctl_debug"),
            antctl_version: text("antctl_version"),
            container_network: text("container_network")
                .unwrap_or_else(|| ContainerNetwork::default().to_string()),
            fleet_memory_max: text("fleet_memory_max"),
            fleet_cpu_quota: settings.count("fleet_cpu_quota"),
            others: serde_json::json!(others).to_string(),
        }
    }
}

/// The settings that a row holds.
pub(super) fn read(row: &Columns<'_>) -> Result<ManagerSettings, DecodeError> {
    let number = |column, absent| -> Result<_, DecodeError> {
        Ok(ConfigValue::from(u64::from(
            row.count::<u32>(column, absent)?,
        )))
    };
    let text = |text: Option<String>| text.map_or(ConfigValue::Null, ConfigValue::Text);
    let path = row.some_text("antctl_path")?;
    // Reading back its own report, the Python program stores the word it prints for nothing.
    let version = row.some_text("antctl_version")?;
    let version = version.filter(|text| text != "None");
    let network: ContainerNetwork = row.parsed("container_network")?;
    let memory = match row.some_text("fleet_memory_max")? {
        Some(_) => Some(row.parsed::<MemoryLimit>("fleet_memory_max")?.to_string()),
        None => None,
    };
    let mut settings: ManagerSettings = [
        (
            "max_node_per_container",
            number("max_node_per_container", 200)?,
        ),
        ("min_container_count", number("min_container_count", 1)?),
        ("docker_image", text(row.some_text("docker_image")?)),
        (
            "antctl_path",
            ConfigValue::Text(path.unwrap_or_else(|| ANTCTL_PATH.to_owned())),
        ),
        (
            "antctl_debug",
            ConfigValue::Bool(row.count("antctl_debug", 0)? != 0),
        ),
        ("antctl_version", text(version)),
        ("container_network", network.word().into()),
        ("fleet_memory_max", text(memory)),
        (
            "fleet_cpu_quota",
            match row.count::<u32>("fleet_cpu_quota", 0)? {
                0 => ConfigValue::Null,
                quota => ConfigValue::from(u64::from(quota)),
            },
        ),
    ]
    .into_iter()
    .collect();
    let others = row.some_text(OTHERS)?.unwrap_or_else(|| "{}".to_owned());
    let others: BTreeMap<String, ConfigValue> =
        serde_json::from_str(&others).map_err(|error| row.error(OTHERS, error))?;
    for (name, value) in others {
        settings.set(name, value);
    }
    Ok(settings)
}
