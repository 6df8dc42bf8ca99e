//! What runs: one look at the process table for one node or for all.

use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use wnm_core::id::NodeId;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_host::blocking;

use crate::Setsid;
use crate::process::{Mark, Process, Program, RealDirs, Running};
use crate::table::Table;

impl Setsid {
    /// The processes of one node, the one that leads its group first.
    pub(crate) async fn processes_of(&self, node: &Node) -> Result<Vec<Process>, ManagerError> {
        let (table, node) = (self.view()?, node.clone());
        blocking(move || {
            let mark = Mark::of(&node);
            let wanted = |program: &Program| match program {
                Program::At(path) => mark.binaries().contains(path),
                Program::Hidden => true,
            };
            let mut found = table.processes(&wanted)?;
            found.retain(|process| mark.is_of(process));
            found.sort_by_key(|process| (process.kin.pid != process.kin.group, process.kin.start));
            Ok(found)
        })
        .await
    }

    /// The table, once it is known to show the processes that matter.
    pub(crate) fn view(&self) -> Result<Table, ManagerError> {
        if self.hands.looks_at_others() {
            self.table.must_show_others()?;
        }
        Ok(self.table.clone())
    }
}

/// The states of many nodes from one reading of the table.
pub(crate) fn states(
    table: &Table,
    nodes: &[Node],
) -> Result<HashMap<NodeId, ProcessState>, ManagerError> {
    let mut real = RealDirs::default();
    let marks = nodes
        .iter()
        .map(|node| Mark::among(&node.binary, &node.root_dir, &mut real));
    let marks: Vec<Mark> = marks.collect();
    let mut by_binary: HashMap<&Path, Vec<usize>> = HashMap::new();
    for (index, mark) in marks.iter().enumerate() {
        for binary in mark.binaries() {
            by_binary.entry(binary).or_default().push(index);
        }
    }
    let processes = table.running(&|program| match program {
        Program::At(path) => by_binary.contains_key(path.as_path()),
        Program::Hidden => true,
    })?;
    let mut running: HashMap<usize, &Running> = HashMap::new();
    for process in &processes {
        let path = match &process.program {
            Program::At(path) => Some(path.as_path()),
            Program::Hidden => process.argv.first().map(Path::new),
        };
        let candidates = path.and_then(|path| by_binary.get(path));
        for &index in candidates.into_iter().flatten() {
            if marks[index].fits(&process.program, &process.argv) {
                running
                    .entry(index)
                    .and_modify(|known| *known = first(table, known, process))
                    .or_insert(process);
            }
        }
    }
    let mut storages = Storages::default();
    Ok(nodes
        .iter()
        .enumerate()
        .map(|(index, node)| {
            let state = match running.get(&index) {
                Some(process) => ProcessState::Running {
                    pid: u32::try_from(process.pid).ok(),
                },
                None => storages.state_of(node),
            };
            (node.id, state)
        })
        .collect())
}

/// The one of two processes of a node that started first, which the other comes from.
pub(crate) fn first<'a>(table: &Table, known: &'a Running, other: &'a Running) -> &'a Running {
    match (table.start_of(known.pid), table.start_of(other.pid)) {
        (Some(start), Some(of_other)) if of_other < start => other,
        (None, Some(_)) => other,
        _ => known,
    }
}

/// Directories that hold nodes' directories and are known to be there.
#[derive(Default)]
struct Storages(HashSet<PathBuf>);

impl Storages {
    /// The state of a node without a process.
    fn state_of(&mut self, node: &Node) -> ProcessState {
        let missing = [&node.root_dir, &node.binary].into_iter().find_map(|path| {
            match std::fs::metadata(path) {
                Ok(_) => None,
                Err(error) => Some((path, error)),
            }
        });
        match missing {
            None => ProcessState::Stopped,
            Some((_, error)) if error.kind() == ErrorKind::NotFound && self.hold(node) => {
                ProcessState::Missing
            }
            Some((path, error)) => ProcessState::Unknown(format!("{}: {error}", path.display())),
        }
    }

    /// Whether the directory that the node's lies in is there. If not, a disk is missing and not a node.
    fn hold(&mut self, node: &Node) -> bool {
        let Some(storage) = node.root_dir.parent() else {
            return false;
        };
        if !self.0.contains(storage) && storage.is_dir() {
            self.0.insert(storage.to_owned());
        }
        self.0.contains(storage)
    }
}
