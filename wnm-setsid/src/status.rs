//! Reads the process table to tell which nodes run.

use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use wnm_core::id::NodeId;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_host::blocking;

use crate::Setsid;
use crate::matching::{CanonicalDirs, NodeMatcher, Process, Program, RunningProgram};
use crate::table::Table;

impl Setsid {
    /// The processes of one node, group leader first.
    pub(crate) async fn node_processes(&self, node: &Node) -> Result<Vec<Process>, ManagerError> {
        let (table, node) = (self.readable_table()?, node.clone());
        blocking(move || {
            let matcher = NodeMatcher::for_node(&node);
            let wanted = |program: &Program| match program {
                Program::At(path) => matcher.binaries().contains(path),
                Program::Hidden => true,
            };
            let mut found = table.processes(&wanted)?;
            found.retain(|process| matcher.matches(process));
            found.sort_by_key(|process| (process.id.pid != process.id.group, process.id.start));
            Ok(found)
        })
        .await
    }

    /// The process table, after checking that it shows the relevant processes.
    pub(crate) fn readable_table(&self) -> Result<Table, ManagerError> {
        if self.process_ops.reads_other_accounts() {
            self.table.check_shows_other_accounts()?;
        }
        Ok(self.table.clone())
    }
}

/// The states of many nodes from one pass over the process table.
pub(crate) fn statuses(
    table: &Table,
    nodes: &[Node],
) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
    let mut real = CanonicalDirs::default();
    let matchers = nodes
        .iter()
        .map(|node| NodeMatcher::with_dirs(&node.binary, &node.root_dir, &mut real));
    let matchers: Vec<NodeMatcher> = matchers.collect();
    let mut by_binary: HashMap<&Path, Vec<usize>> = HashMap::new();
    for (index, matcher) in matchers.iter().enumerate() {
        for binary in matcher.binaries() {
            by_binary.entry(binary).or_default().push(index);
        }
    }
    let processes = table.running(&|program| match program {
        Program::At(path) => by_binary.contains_key(path.as_path()),
        Program::Hidden => true,
    })?;
    let mut running: HashMap<usize, &RunningProgram> = HashMap::new();
    for process in &processes {
        let path = match &process.program {
            Program::At(path) => Some(path.as_path()),
            Program::Hidden => process.argv.first().map(Path::new),
        };
        let candidates = path.and_then(|path| by_binary.get(path));
        for &index in candidates.into_iter().flatten() {
            if matchers[index].matches_program(&process.program, &process.argv) {
                running
                    .entry(index)
                    .and_modify(|known| *known = started_first(table, known, process))
                    .or_insert(process);
            }
        }
    }
    let mut storages = StorageCheck::default();
    Ok(nodes
        .iter()
        .enumerate()
        .map(|(index, node)| {
            let state = match running.get(&index) {
                Some(process) => ProcessState::Running {
                    pid: u32::try_from(process.pid).ok(),
                },
                None => storages.state_without_process(node),
            };
            (node.id, state)
        })
        .collect())
}

/// The older of two processes of a node; the newer one descends from it.
pub(crate) fn started_first<'a>(
    table: &Table,
    known: &'a RunningProgram,
    other: &'a RunningProgram,
) -> &'a RunningProgram {
    match (table.start_time(known.pid), table.start_time(other.pid)) {
        (Some(start), Some(other_start)) if other_start < start => other,
        (None, Some(_)) => other,
        _ => known,
    }
}

/// Storage directories known to exist.
#[derive(Default)]
struct StorageCheck(HashSet<PathBuf>);

impl StorageCheck {
    /// The state of a node that has no process.
    fn state_without_process(&mut self, node: &Node) -> ProcessState {
        let missing = [&node.root_dir, &node.binary].into_iter().find_map(|path| {
            match std::fs::metadata(path) {
                Ok(_) => None,
                Err(error) => Some((path, error)),
            }
        });
        match missing {
            None => ProcessState::Stopped,
            Some((_, error))
                if error.kind() == ErrorKind::NotFound && self.storage_exists(node) =>
            {
                ProcessState::Missing
            }
            Some((path, error)) => ProcessState::Unknown(format!("{}: {error}", path.display())),
        }
    }

    /// Whether the parent of the node's directory exists. If it does not, a disk is missing rather than the
    /// node.
    fn storage_exists(&mut self, node: &Node) -> bool {
        let Some(storage) = node.root_dir.parent() else {
            return false;
        };
        if !self.0.contains(storage) && storage.is_dir() {
            self.0.insert(storage.to_owned());
        }
        self.0.contains(storage)
    }
}
