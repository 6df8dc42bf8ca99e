//! Nodes that are on this machine, for adoption: directories with a program in them, and processes.

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

use crate::process::{Mark, Process, Program};
use crate::table::Table;

/// What is looked for.
pub(crate) struct Search {
    pub table: Table,
    pub paths: Paths,
    pub bases: PortBases,
    /// Name of the node program's file.
    pub program: &'static str,
}

impl Search {
    /// Every node below the storage, by directory.
    pub fn run(&self) -> Result<Vec<FoundNode>, ManagerError> {
        let mut roots = self.directories()?;
        let processes = self.processes()?;
        let mut running: BTreeMap<PathBuf, Process> = BTreeMap::new();
        for process in processes {
            if let Some(root) = self.root_of(&process, &roots) {
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

    /// Directories that are named like a node's and hold its program.
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
            let named = entry.file_name().to_string_lossy().starts_with("antnode");
            let real = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if named && real && entry.path().join(self.program).is_file() {
                found.push(entry.path());
            }
        }
        Ok(found)
    }

    /// Processes of the node program, wherever its file lies.
    fn processes(&self) -> Result<Vec<Process>, ManagerError> {
        let is_it = |path: &Path| path.file_name().is_some_and(|name| name == self.program);
        let wanted = |program: &Program| match program {
            Program::At(path) => is_it(path),
            Program::Hidden => true,
        };
        let mut found = self.table.processes(&wanted)?;
        found.retain(|process| match &process.program {
            Program::At(_) => true,
            Program::Hidden => process
                .argv
                .first()
                .is_some_and(|word| is_it(Path::new(word))),
        });
        Ok(found)
    }

    /// The directory a process works in, when that is one below the storage.
    fn root_of(&self, process: &Process, known: &[PathBuf]) -> Option<PathBuf> {
        if let Some(root) = argv::option(&process.argv, "--root-dir") {
            let root = PathBuf::from(root);
            let below = root.starts_with(&self.paths.node_storage)
                && root != self.paths.node_storage
                && root.is_dir();
            return below.then_some(root);
        }
        known
            .iter()
            .find(|root| Mark::at(&root.join(self.program), root).is_of(process))
            .cloned()
    }

    fn node(&self, root_dir: PathBuf, process: Option<&Process>) -> Option<FoundNode> {
        let service = root_dir.file_name()?.to_string_lossy().into_owned();
        let id = layout::id_of(&service);
        let words = process.map_or(&[][..], |process| process.argv.as_slice());
        let by_number = id.and_then(|id| self.bases.of(id).ok());
        let told: Option<Port> = port(words, "--port");
        let ports = match (told, by_number) {
            (Some(node), by_number) => NodePorts {
                node,
                metrics: port(words, "--metrics-server-port"),
                rpc: by_number.and_then(|ports| ports.rpc),
            },
            (None, Some(ports)) => ports,
            (None, None) => {
                tracing::warn!(directory = %root_dir.display(), "left alone: nothing says which port it uses");
                return None;
            }
        };
        let logs = argv::option(words, "--log-output-dest").map(PathBuf::from);
        let usual = id
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
            log_dir: logs.or(usual),
            ports,
            network: argv::network(words),
            wallet: argv::parsed(words, "--rewards-address"),
            state: match process {
                Some(process) => ProcessState::Running {
                    pid: u32::try_from(process.kin.pid).ok(),
                },
                None => ProcessState::Stopped,
            },
            root_dir,
        })
    }
}

fn port(words: &[std::ffi::OsString], name: &str) -> Option<Port> {
    argv::parsed::<u16>(words, name).and_then(Port::new)
}
