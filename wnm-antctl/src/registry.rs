//! What `antctl status --json` says: the services there are.

mod answer;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use wnm_core::node::Node;
use wnm_core::ports::{NodePorts, Port};
use wnm_core::wallet::Address;
use wnm_host::layout;

use crate::words::is_name;

/// How antctl thinks a service stands. It is wrong about one that died and about one whose number of a process
/// went to another node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Made and never started.
    Added,
    /// Runs.
    Running,
    /// Does not run.
    Stopped,
    /// Something that no antctl said when this was written.
    Other(String),
}

/// One service.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Service {
    pub name: String,
    pub standing: Standing,
    /// Its own copy of the node program.
    pub program: PathBuf,
    pub data_dir: PathBuf,
    pub log_dir: Option<PathBuf>,
    /// Absent where antctl left the choice to the node.
    pub node_port: Option<Port>,
    pub metrics_port: Option<Port>,
    pub rpc_port: Option<Port>,
    pub network: Option<String>,
    pub wallet: Option<Address>,
    /// The account it runs under; none for the caller's own.
    pub user: Option<String>,
}

impl Service {
    /// Its ports, unless antctl does not know where the node listens.
    pub fn ports(&self) -> Option<NodePorts> {
        Some(NodePorts {
            node: self.node_port?,
            metrics: self.metrics_port,
            rpc: self.rpc_port,
        })
    }
}

/// All services that are there. Those that were removed stay in antctl's file and are none.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Registry {
    services: Vec<Service>,
    /// Entries that could not be read: whoever is not found may be one of them.
    pub unreadable: usize,
    /// Entries of services that were removed.
    removed: usize,
}

impl Registry {
    /// Finds the answer in what antctl wrote, wherever it stands. `None` where there is none.
    pub fn find(output: &[u8]) -> Option<Self> {
        let mut registry = Self::default();
        for entry in answer::entries(output)? {
            match serde_json::from_value::<Entry>(entry).map(Service::try_from) {
                Ok(Ok(Some(service))) => registry.services.push(service),
                Ok(Ok(None)) => registry.removed += 1,
                Ok(Err(reason)) => registry.pass_over(&reason),
                Err(error) => registry.pass_over(&error.to_string()),
            }
        }
        Some(registry)
    }

    fn pass_over(&mut self, reason: &str) {
        tracing::warn!(reason, "a service of antctl cannot be read");
        self.unreadable += 1;
    }

    /// Whether there never was a service, to go by this. A reset leaves it so, and a file that was lost.
    pub fn is_bare(&self) -> bool {
        self.services.is_empty() && self.unreadable == 0 && self.removed == 0
    }

    /// The services in antctl's order.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// The service of a node. Its directory tells: the node's own, or the one that antctl made in it, as after an
    /// add that ended in the middle. Of such an add in places that antctl chose only the port is known, which is no
    /// other node's; of every other node a port proves nothing, since a person may have given it to another service.
    pub fn of(&self, node: &Node) -> Option<&Service> {
        let at = |wanted: &dyn Fn(&Service) -> bool| self.services.iter().find(|s| wanted(s));
        let by_directory = at(&|service| same(&service.data_dir, &node.root_dir))
            .or_else(|| at(&|service| is_in(&service.data_dir, &node.root_dir)));
        match by_directory {
            None if is_unrecorded(node) => {
                at(&|service| service.node_port == Some(node.ports.node))
            }
            found => found,
        }
    }
}

/// Whether the record of a node was written before antctl had chosen anything.
fn is_unrecorded(node: &Node) -> bool {
    let own = node.id.directory_name();
    node.service == own && node.root_dir.ends_with(&own)
}

fn is_in(data_dir: &Path, directory: &Path) -> bool {
    data_dir
        .parent()
        .is_some_and(|parent| same(parent, directory))
}

/// Paths are compared as they are written and, where they lead somewhere, by where they lead.
fn same(one: &Path, other: &Path) -> bool {
    one == other
        || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// A service as antctl writes it. The forms 1 and 2 differ in fields that are of no interest here, and so does the
/// one before them.
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
    /// `None` for a service that was removed.
    fn try_from(entry: Entry) -> Result<Option<Self>, String> {
        let standing = match entry.status.as_str() {
            "Removed" => return Ok(None),
            "Added" => Standing::Added,
            "Running" => Standing::Running,
            "Stopped" => Standing::Stopped,
            other => Standing::Other(other.to_owned()),
        };
        if !is_name(&entry.service_name) {
            return Err(format!("'{}' is no name of a service", entry.service_name));
        }
        for path in [&entry.antnode_path, &entry.data_dir_path] {
            if !layout::is_place(path) {
                return Err(format!("'{}' is no place of a node", path.display()));
            }
        }
        let rpc_port =
            |address: String| address.rsplit_once(':')?.1.parse().ok().and_then(Port::new);
        Ok(Some(Self {
            name: entry.service_name,
            standing,
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

/// The words that antctl and antnode take for a network, from the names that the registry has for them. A custom one
/// is an object with its addresses.
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

/// Directory below the storage that belongs to the node alone: its own, or the one that antctl's is in.
pub(crate) fn own_directories<'a>(base: &Path, path: &'a Path, node: &Node) -> Vec<&'a str> {
    let parent = path.parent().unwrap_or(path);
    [path, parent]
        .into_iter()
        .filter_map(|path| layout::own_name(base, path, node.id))
        .collect()
}

#[cfg(test)]
mod tests;
