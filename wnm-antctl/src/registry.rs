//! Parses the output of `antctl status --json`: the services.

mod answer;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use wnm_core::node::Node;
use wnm_core::ports::{NodePorts, Port};
use wnm_core::wallet::Address;
use wnm_host::layout;

use crate::output::is_service_name;

/// A service's state according to antctl. antctl is wrong about a service that died and about one whose pid now
/// belongs to another node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LifecycleState {
    /// Made but never started.
    Added,
    /// Runs.
    Running,
    /// Does not run.
    Stopped,
    /// A state that no known antctl version reports.
    Other(String),
}

/// One service.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Service {
    pub name: String,
    pub state: LifecycleState,
    /// Its own copy of the node program.
    pub program: PathBuf,
    pub data_dir: PathBuf,
    pub log_dir: Option<PathBuf>,
    /// Absent if antctl let the node choose.
    pub node_port: Option<Port>,
    pub metrics_port: Option<Port>,
    pub rpc_port: Option<Port>,
    pub network: Option<String>,
    pub wallet: Option<Address>,
    /// The account it runs under; `None` for the caller's own.
    pub user: Option<String>,
}

impl Service {
    /// Its ports; `None` if antctl does not know which port the node listens on.
    pub fn ports(&self) -> Option<NodePorts> {
        Some(NodePorts {
            node: self.node_port?,
            metrics: self.metrics_port,
            rpc: self.rpc_port,
        })
    }
}

/// All existing services. antctl's file still lists removed ones; they do not count.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Registry {
    services: Vec<Service>,
    /// Number of entries that could not be parsed. A node that is not found may be one of them.
    pub unreadable: usize,
    /// Number of entries for removed services.
    removed: usize,
}

impl Registry {
    /// Finds the registry anywhere in antctl's output; `None` if there is none.
    pub fn parse(output: &[u8]) -> Option<Self> {
        let mut registry = Self::default();
        for entry in answer::entries(output)? {
            match serde_json::from_value::<Entry>(entry).map(Service::try_from) {
                Ok(Ok(Some(service))) => registry.services.push(service),
                Ok(Ok(None)) => registry.removed += 1,
                Ok(Err(reason)) => registry.skip(&reason),
                Err(error) => registry.skip(&error.to_string()),
            }
        }
        Some(registry)
    }

    fn skip(&mut self, reason: &str) {
        tracing::warn!(reason, "cannot parse a service of antctl");
        self.unreadable += 1;
    }

    /// Whether the registry lists no service, not even a removed one. This is so after a reset, and if the file
    /// was lost.
    pub fn is_blank(&self) -> bool {
        self.services.is_empty() && self.unreadable == 0 && self.removed == 0
    }

    /// The services in antctl's order.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// The service of a node, matched by directory: the node's own, or the one that antctl made inside it, as
    /// after an interrupted add.
    ///
    /// Of an interrupted add where antctl chose the paths, only the port is known, and no other node has it.
    /// For all other nodes the port proves nothing, since an operator may have given it to another service.
    pub fn service_for(&self, node: &Node) -> Option<&Service> {
        let find = |wanted: &dyn Fn(&Service) -> bool| self.services.iter().find(|s| wanted(s));
        let by_directory = find(&|service| same_path(&service.data_dir, &node.root_dir))
            .or_else(|| find(&|service| is_inside(&service.data_dir, &node.root_dir)));
        match by_directory {
            None if is_unrecorded(node) => {
                find(&|service| service.node_port == Some(node.ports.node))
            }
            found => found,
        }
    }
}

/// Whether the node's record dates from before antctl chose name and paths.
fn is_unrecorded(node: &Node) -> bool {
    let own = node.id.directory_name();
    node.service == own && node.root_dir.ends_with(&own)
}

fn is_inside(data_dir: &Path, directory: &Path) -> bool {
    data_dir
        .parent()
        .is_some_and(|parent| same_path(parent, directory))
}

/// Compares paths as written and, if both exist, as resolved.
fn same_path(one: &Path, other: &Path) -> bool {
    one == other
        || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// A service as antctl writes it. Schema versions 1, 2 and the one before them differ only in fields that wnm
/// does not use.
#[derive(Debug, Deserialize)]
struct Entry {
    service_name: String,
    status: String,
    antnode_path: PathBuf,
    data_dir_path: PathBuf,
    #[serde(default)]
    log_dir_path: Option<PathBuf>,
    #[serde(default)]
    node_port: Option<u16>,
    #[serde(default)]
    metrics_port: Option<u16>,
    #[serde(default)]
    rpc_socket_addr: Option<String>,
    #[serde(default)]
    evm_network: Option<serde_json::Value>,
    #[serde(default)]
    rewards_address: Option<String>,
    #[serde(default)]
    user: Option<String>,
}

impl Service {
    /// `None` for a removed service.
    fn try_from(entry: Entry) -> Result<Option<Self>, String> {
        let state = match entry.status.as_str() {
            "Removed" => return Ok(None),
            "Added" => LifecycleState::Added,
            "Running" => LifecycleState::Running,
            "Stopped" => LifecycleState::Stopped,
            other => LifecycleState::Other(other.to_owned()),
        };
        if !is_service_name(&entry.service_name) {
            return Err(format!("'{}' is not a service name", entry.service_name));
        }
        for path in [&entry.antnode_path, &entry.data_dir_path] {
            if !layout::is_place(path) {
                return Err(format!("'{}' is not a node's path", path.display()));
            }
        }
        let rpc_port =
            |address: String| address.rsplit_once(':')?.1.parse().ok().and_then(Port::new);
        Ok(Some(Self {
            name: entry.service_name,
            state,
            program: entry.antnode_path,
            data_dir: entry.data_dir_path,
            log_dir: entry.log_dir_path.filter(|dir| layout::is_place(dir)),
            node_port: entry.node_port.and_then(Port::new),
            metrics_port: entry.metrics_port.and_then(Port::new),
            rpc_port: entry.rpc_socket_addr.and_then(rpc_port),
            network: entry.evm_network.as_ref().and_then(network),
            wallet: entry.rewards_address.and_then(|text| text.parse().ok()),
            user: entry.user,
        }))
    }
}

/// Converts the registry's network name to the argument of antctl and antnode. A custom network is an object
/// with its addresses.
fn network(value: &serde_json::Value) -> Option<String> {
    let name = match value {
        serde_json::Value::String(name) => name.as_str(),
        serde_json::Value::Object(object) => object.keys().next()?,
        _ => return None,
    };
    match name {
        "ArbitrumOne" => Some("evm-arbitrum-one".to_owned()),
        "ArbitrumSepoliaTest" => Some("evm-arbitrum-sepolia-test".to_owned()),
        "Custom" => Some("evm-custom".to_owned()),
        _ => None,
    }
}

/// Directories below `base` that belong to this node alone: its own, and the one around antctl's.
pub(crate) fn own_directories<'a>(base: &Path, path: &'a Path, node: &Node) -> Vec<&'a str> {
    let parent = path.parent().unwrap_or(path);
    [path, parent]
        .into_iter()
        .filter_map(|path| layout::own_name(base, path, node.id))
        .collect()
}

#[cfg(test)]
mod tests;
