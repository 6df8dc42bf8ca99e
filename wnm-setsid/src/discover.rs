//! Discovers nodes on this machine for adoption: directories that hold the node program, and its processes.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use wnm_core::manager::{FoundNode, ManagerError};
use wnm_core::node::ProcessState;
use wnm_core::paths::Paths;
use wnm_core::ports::{NodePorts, Port, PortBases};
use wnm_core::program::argv;
use wnm_host::Account;
use wnm_host::layout;

use crate::matching::{NodeMatcher, Process, Program};
use crate::table::Table;

/// Where and what to search.
pub(crate) struct NodeSearch {
    pub table: Table,
    pub paths: Paths,
    pub bases: PortBases,
    /// File name of the node program.
    pub program: &'static str,
}

impl NodeSearch {
    /// Returns every node below the node storage, sorted by directory.
    pub fn run(&self) -> Result<Vec<FoundNode>, ManagerError> {
        let mut roots = self.directories()?;
        let processes = self.processes()?;
        let mut running: BTreeMap<PathBuf, Process> = BTreeMap::new();
        for process in processes {
            if let Some(root) = self.node_root(&process, &roots) {
                if !roots.contains(&root) {
                    roots.push(root.clone());
                }
                running.entry(root).or_insert(process);
            }
        }
        roots.sort();
        Ok(roots
            .into_iter()
            .filter_map(|root| {
                let process = running.get(&root);
                self.node(root, process)
            })
            .collect())
    }

    /// Directories whose name starts like a node's and that hold the node program.
    fn directories(&self) -> Result<Vec<PathBuf>, ManagerError> {
        let storage = &self.paths.node_storage;
        let unreadable =
            |source| ManagerError::io(format!("reading {}", storage.display()), source);
        let entries = match std::fs::read_dir(storage) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(unreadable)?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(unreadable)?;
            let is_named = entry.file_name().to_string_lossy().starts_with("antnode");
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_named && is_dir && entry.path().join(self.program).is_file() {
                found.push(entry.path());
            }
        }
        Ok(found)
    }

    /// Processes of the node program, wherever its file is.
    fn processes(&self) -> Result<Vec<Process>, ManagerError> {
        let is_node_program =
            |path: &Path| path.file_name().is_some_and(|name| name == self.program);
        let wanted = |program: &Program| match program {
            Program::At(path) => is_node_program(path),
            Program::Hidden => true,
        };
        let mut found = self.table.processes(&wanted)?;
        found.retain(|process| match &process.program {
            Program::At(_) => true,
            Program::Hidden => process
                .argv
                .first()
                .is_some_and(|word| is_node_program(Path::new(word))),
        });
        Ok(found)
    }

    /// The process's node directory, if it is below the node storage.
    fn node_root(&self, process: &Process, known: &[PathBuf]) -> Option<PathBuf> {
        if let Some(root) = argv::option(&process.argv, "--root-dir") {
            let root = PathBuf::from(root);
            let is_below = root.starts_with(&self.paths.node_storage)
                && root != self.paths.node_storage
                && root.is_dir();
            return is_below.then_some(root);
        }
        known
            .iter()
            .find(|root| NodeMatcher::for_paths(&root.join(self.program), root).matches(process))
            .cloned()
    }

    fn node(&self, root_dir: PathBuf, process: Option<&Process>) -> Option<FoundNode> {
        let service = root_dir.file_name()?.to_string_lossy().into_owned();
        let id = layout::id_of(&service);
        let args = process.map_or(&[][..], |process| process.argv.as_slice());
        let default_ports = id.and_then(|id| self.bases.of(id).ok());
        let port_argument: Option<Port> = port(args, "--port");
        let ports = match (port_argument, default_ports) {
            (Some(node), default_ports) => NodePorts {
                node,
                metrics: port(args, "--metrics-server-port"),
                rpc: default_ports.and_then(|ports| ports.rpc),
            },
            (None, Some(ports)) => ports,
            (None, None) => {
                tracing::warn!(directory = %root_dir.display(), "ignored: its port is unknown");
                return None;
            }
        };
        let logs = argv::option(args, "--log-output-dest").map(PathBuf::from);
        let default_logs = id
            .map(|id| self.paths.log_dir(id))
            .filter(|dir| dir.is_dir());
        let account = match process {
            Some(process) => process.account,
            None => std::fs::metadata(&root_dir).ok()?.uid(),
        };
        let binary = match process.map(|process| &process.program) {
            Some(Program::At(path)) if !root_dir.join(self.program).is_file() => path.clone(),
            _ => root_dir.join(self.program),
        };
        Some(FoundNode {
            id,
            service,
            user: Account::name_of(account),
            binary,
            log_dir: logs.or(default_logs),
            ports,
            network: argv::network(args),
            wallet: argv::parsed(args, "--rewards-address"),
            state: match process {
                Some(process) => ProcessState::Running {
                    pid: u32::try_from(process.id.pid).ok(),
                },
                None => ProcessState::Stopped,
            },
            root_dir,
        })
    }
}

fn port(args: &[std::ffi::OsString], name: &str) -> Option<Port> {
    argv::parsed::<u16>(args, name).and_then(Port::new)
}
