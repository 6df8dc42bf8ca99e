//! Finds nodes in the process table by their program. The pid that antctl records usually belongs to a thread,
//! and a stale one makes antctl take a dead node for a running one.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_core::program::argv;
use wnm_host::blocking;

use crate::layout::Ownership;
use crate::registry::{LifecycleState, Service};

/// A node writes its pid to this file when it starts and never deletes it.
const PID_FILE: &str = "antnode.pid";

/// More bytes than any pid takes.
const MAX_PID_BYTES: u64 = 32;

/// Suffixes of the kernel's path for a program that was replaced while it ran.
const REPLACED: [&[u8]; 3] = [b" (deleted)", b".bak", b".old"];

/// The paths by which to find a node's process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodePaths {
    pub program: PathBuf,
    pub data_dir: PathBuf,
}

impl From<&Node> for NodePaths {
    fn from(node: &Node) -> Self {
        Self {
            program: node.binary.clone(),
            data_dir: node.root_dir.clone(),
        }
    }
}

impl From<&Service> for NodePaths {
    fn from(service: &Service) -> Self {
        Self {
            program: service.program.clone(),
            data_dir: service.data_dir.clone(),
        }
    }
}

/// The machine's process table.
#[derive(Debug, Clone)]
pub(crate) struct ProcessTable {
    table: PathBuf,
    /// Whether to look for processes of other accounts.
    other_accounts: bool,
}

impl ProcessTable {
    /// The process table for services with this ownership.
    pub fn for_ownership(ownership: Ownership) -> Self {
        Self {
            table: PathBuf::from("/proc"),
            other_accounts: ownership == Ownership::System && !nix::unistd::geteuid().is_root(),
        }
    }

    /// A process table in another directory.
    #[cfg(test)]
    pub fn at(table: PathBuf) -> Self {
        let other_accounts = false;
        Self {
            table,
            other_accounts,
        }
    }

    /// The current state of one service; `Unknown` if the table cannot be read.
    pub async fn state(&self, service: &Service) -> Result<ProcessState, ManagerError> {
        let mut states = self.states(vec![service.clone()]).await?;
        Ok(states.pop().unwrap_or(ProcessState::Missing))
    }

    /// The process of a node that antctl does not list.
    pub async fn find(&self, node: NodePaths) -> Result<Option<u32>, ManagerError> {
        let table = self.clone();
        blocking(move || {
            table
                .readable()
                .map_err(|reason| ManagerError::Unreachable {
                    supervisor: "the process table".to_owned(),
                    reason,
                })?;
            Ok(table.search(&[&node]).get(&0).copied())
        })
        .await
    }

    /// The states of services, in the same order.
    pub async fn states(&self, services: Vec<Service>) -> Result<Vec<ProcessState>, ManagerError> {
        let table = self.clone();
        blocking(move || Ok(table.read_states(&services))).await
    }

    fn read_states(&self, services: &[Service]) -> Vec<ProcessState> {
        let nodes: Vec<NodePaths> = services.iter().map(NodePaths::from).collect();
        if let Err(reason) = self.readable() {
            return services
                .iter()
                .map(|s| state_without_table(s, &reason))
                .collect();
        }
        let mut found: HashMap<usize, u32> = HashMap::new();
        let mut unresolved = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            match self.pid_from_file(node) {
                Some(pid) => {
                    found.insert(index, pid);
                }
                None => unresolved.push(index),
            }
        }
        // One pass over the table for all nodes whose pid file did not help.
        let wanted: Vec<&NodePaths> = unresolved.iter().map(|&index| &nodes[index]).collect();
        if !wanted.is_empty() {
            let searched = self.search(&wanted);
            found.extend(searched.into_iter().map(|(at, pid)| (unresolved[at], pid)));
        }
        (0..services.len())
            .map(|index| match found.get(&index) {
                Some(&pid) => ProcessState::Running { pid: Some(pid) },
                None => ProcessState::Stopped,
            })
            .collect()
    }

    /// Checks that the table exists and shows the processes looked for. A hidden process would look stopped.
    fn readable(&self) -> Result<(), String> {
        if std::fs::read_link(self.table.join("self")).is_err() {
            return Err(format!("{} cannot be read", self.table.display()));
        }
        if self.other_accounts && std::fs::read(self.table.join("1/stat")).is_err() {
            return Err(format!(
                "{} hides the processes of other accounts (hidepid); run wnm as root",
                self.table.display()
            ));
        }
        Ok(())
    }

    /// The process named in the node's pid file, if it still runs the node.
    fn pid_from_file(&self, node: &NodePaths) -> Option<u32> {
        let path = node.data_dir.join(PID_FILE);
        let file = std::fs::metadata(&path).ok()?;
        if !file.is_file() || file.len() > MAX_PID_BYTES {
            return None;
        }
        let pid = parse_pid(&std::fs::read(path).ok()?)?;
        self.is_node(pid, node).then_some(pid)
    }

    /// Finds processes in one pass over the table. Maps indexes into `nodes` to pids.
    fn search(&self, nodes: &[&NodePaths]) -> HashMap<usize, u32> {
        let mut by_program: HashMap<PathBuf, usize> = HashMap::new();
        for (index, node) in nodes.iter().enumerate() {
            for spelling in path_spellings(&node.program) {
                by_program.insert(spelling, index);
            }
        }
        let mut found = HashMap::new();
        let entries = std::fs::read_dir(&self.table)
            .into_iter()
            .flatten()
            .flatten();
        for entry in entries {
            let name = entry.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            let program = self.program(pid);
            if let Some(&index) = program.and_then(|path| by_program.get(&path))
                && self.is_node(pid, nodes[index])
            {
                found.entry(index).or_insert(pid);
            }
        }
        found
    }

    /// The program of a process; its `argv[0]` where the kernel hides the program.
    fn program(&self, pid: u32) -> Option<PathBuf> {
        let process = self.table.join(pid.to_string());
        match std::fs::read_link(process.join("exe")) {
            Ok(exe) => Some(strip_replaced_suffix(&exe)),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                arguments(&process).into_iter().next().map(PathBuf::from)
            }
            Err(_) => None,
        }
    }

    /// Whether a process runs the node, and not just `--version`. Where the kernel hides the program, as for
    /// other accounts, the arguments must also name the node's directory.
    fn is_node(&self, pid: u32, node: &NodePaths) -> bool {
        let process = self.table.join(pid.to_string());
        let hidden = matches!(std::fs::read_link(process.join("exe")), Err(error) if error.kind() == ErrorKind::PermissionDenied);
        let arguments = arguments(&process);
        let names_data_dir =
            || argv::option(&arguments, "--root-dir") == Some(node.data_dir.as_os_str());
        let program = self.program(pid);
        program.is_some_and(|program| path_spellings(&node.program).contains(&program))
            && !asks_version(&arguments)
            && (!hidden || names_data_dir())
    }
}

/// The pid in a node's pid file.
pub(crate) fn parse_pid(content: &[u8]) -> Option<u32> {
    std::str::from_utf8(content).ok()?.trim().parse().ok()
}

/// Without a process table, antctl's own state is all there is.
fn state_without_table(service: &Service, reason: &str) -> ProcessState {
    match service.state {
        LifecycleState::Running if cfg!(not(target_os = "linux")) => {
            ProcessState::Running { pid: None }
        }
        LifecycleState::Added | LifecycleState::Stopped if cfg!(not(target_os = "linux")) => {
            ProcessState::Stopped
        }
        _ => ProcessState::Unknown(reason.to_owned()),
    }
}

fn arguments(process: &Path) -> Vec<OsString> {
    let content = std::fs::read(process.join("cmdline")).unwrap_or_default();
    let words = content.strip_suffix(b"\0").unwrap_or(&content);
    words
        .split(|&byte| byte == 0)
        .map(|word| OsString::from_vec(word.to_vec()))
        .collect()
}

/// wnm and antctl both run a node's program like this.
fn asks_version(arguments: &[OsString]) -> bool {
    matches!(arguments, [_, only] if only == "--version")
}

/// The path as given and, if different, without symbolic links, as the kernel reports it.
fn path_spellings(program: &Path) -> Vec<PathBuf> {
    let mut path_spellings = vec![program.to_owned()];
    let directory = program.parent().and_then(|dir| dir.canonicalize().ok());
    if let Some(real) = directory
        .zip(program.file_name())
        .map(|(dir, name)| dir.join(name))
        && real != program
    {
        path_spellings.push(real);
    }
    path_spellings
}

fn strip_replaced_suffix(exe: &Path) -> PathBuf {
    let mut bytes = exe.as_os_str().as_bytes();
    for ending in REPLACED {
        bytes = bytes.strip_suffix(ending).unwrap_or(bytes);
    }
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(test)]
mod tests;
