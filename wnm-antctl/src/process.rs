//! The processes of nodes, found by the program they run. antctl's own number of a process is as a rule that of a
//! thread, and one that is out of date makes it take a dead node for a running one.

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

use crate::place::Domain;
use crate::registry::{Service, Standing};

/// A node writes its number here when it starts and never takes it away.
const PID_FILE: &str = "antnode.pid";

/// More digits than any number of a process has.
const LONGEST_PID: u64 = 32;

/// What a path ends with in the kernel's words when the program was replaced under its process, by itself or not.
const REPLACED: [&[u8]; 3] = [b" (deleted)", b".bak", b".old"];

/// What there is of a node to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trace {
    pub program: PathBuf,
    pub data_dir: PathBuf,
}

impl Trace {
    /// That of a node on record.
    pub fn of(node: &Node) -> Self {
        Self {
            program: node.binary.clone(),
            data_dir: node.root_dir.clone(),
        }
    }
}

impl From<&Service> for Trace {
    fn from(service: &Service) -> Self {
        Self {
            program: service.program.clone(),
            data_dir: service.data_dir.clone(),
        }
    }
}

/// The process table.
#[derive(Debug, Clone)]
pub(crate) struct Processes {
    table: PathBuf,
    /// Whether processes of other accounts are looked for.
    of_others: bool,
}

impl Processes {
    /// The machine's.
    pub fn of(domain: Domain) -> Self {
        Self {
            table: PathBuf::from("/proc"),
            of_others: domain == Domain::System && !nix::unistd::geteuid().is_root(),
        }
    }

    /// One somewhere else.
    #[cfg(test)]
    pub fn at(table: PathBuf) -> Self {
        let of_others = false;
        Self { table, of_others }
    }

    /// The state of one service now. `Unknown` where nobody can say.
    pub async fn state(&self, service: &Service) -> Result<ProcessState, ManagerError> {
        let mut states = self.states(vec![service.clone()]).await?;
        Ok(states.pop().unwrap_or(ProcessState::Missing))
    }

    /// The process of a node that antctl does not know.
    pub async fn find(&self, trace: Trace) -> Result<Option<u32>, ManagerError> {
        let table = self.clone();
        blocking(move || {
            table
                .readable()
                .map_err(|reason| ManagerError::Unreachable {
                    supervisor: "the process table".to_owned(),
                    reason,
                })?;
            Ok(table.search(&[&trace]).get(&0).copied())
        })
        .await
    }

    /// The states of services, in their order.
    pub async fn states(&self, services: Vec<Service>) -> Result<Vec<ProcessState>, ManagerError> {
        let table = self.clone();
        blocking(move || Ok(table.look(&services))).await
    }

    fn look(&self, services: &[Service]) -> Vec<ProcessState> {
        let traces: Vec<Trace> = services.iter().map(Trace::from).collect();
        if let Err(reason) = self.readable() {
            return services.iter().map(|s| without_table(s, &reason)).collect();
        }
        let mut found: HashMap<usize, u32> = HashMap::new();
        let mut open = Vec::new();
        for (index, trace) in traces.iter().enumerate() {
            match self.by_file(trace) {
                Some(pid) => {
                    found.insert(index, pid);
                }
                None => open.push(index),
            }
        }
        // One reading of the table for all that are not where they said.
        let wanted: Vec<&Trace> = open.iter().map(|&index| &traces[index]).collect();
        if !wanted.is_empty() {
            let searched = self.search(&wanted);
            found.extend(searched.into_iter().map(|(at, pid)| (open[at], pid)));
        }
        (0..services.len())
            .map(|index| match found.get(&index) {
                Some(&pid) => ProcessState::Running { pid: Some(pid) },
                None => ProcessState::Stopped,
            })
            .collect()
    }

    /// Whether the table is there and shows what is looked for: what is hidden would be taken for stopped.
    fn readable(&self) -> Result<(), String> {
        if std::fs::read_link(self.table.join("self")).is_err() {
            return Err(format!("{} cannot be read", self.table.display()));
        }
        if self.of_others && std::fs::read(self.table.join("1/stat")).is_err() {
            return Err(format!(
                "{} hides the processes of other accounts (hidepid); run wnm as root",
                self.table.display()
            ));
        }
        Ok(())
    }

    /// The process that a node said it was, if it still is.
    fn by_file(&self, trace: &Trace) -> Option<u32> {
        let path = trace.data_dir.join(PID_FILE);
        let file = std::fs::metadata(&path).ok()?;
        if !file.is_file() || file.len() > LONGEST_PID {
            return None;
        }
        let pid = number_in(&std::fs::read(path).ok()?)?;
        self.is_of(pid, trace).then_some(pid)
    }

    /// Processes by the place of their trace in `traces`, from one reading of the table.
    fn search(&self, traces: &[&Trace]) -> HashMap<usize, u32> {
        let mut by_program: HashMap<PathBuf, usize> = HashMap::new();
        for (index, trace) in traces.iter().enumerate() {
            for spelling in spellings(&trace.program) {
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
                && self.is_of(pid, traces[index])
            {
                found.entry(index).or_insert(pid);
            }
        }
        found
    }

    /// The program that a process runs; the one it says it was called as where the kernel does not tell.
    fn program(&self, pid: u32) -> Option<PathBuf> {
        let process = self.table.join(pid.to_string());
        match std::fs::read_link(process.join("exe")) {
            Ok(exe) => Some(before_replacement(&exe)),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                arguments(&process).into_iter().next().map(PathBuf::from)
            }
            Err(_) => None,
        }
    }

    /// Whether a process runs a node's program, and not only to say its version. Where the kernel does not tell the
    /// program, as of other accounts, its arguments must name the directory as well.
    fn is_of(&self, pid: u32, trace: &Trace) -> bool {
        let process = self.table.join(pid.to_string());
        let hidden = matches!(std::fs::read_link(process.join("exe")), Err(error) if error.kind() == ErrorKind::PermissionDenied);
        let arguments = arguments(&process);
        let names_directory =
            || argv::option(&arguments, "--root-dir") == Some(trace.data_dir.as_os_str());
        let program = self.program(pid);
        program.is_some_and(|program| spellings(&trace.program).contains(&program))
            && !asks_version(&arguments)
            && (!hidden || names_directory())
    }
}

/// The number of a process in the file of a node.
pub(crate) fn number_in(content: &[u8]) -> Option<u32> {
    std::str::from_utf8(content).ok()?.trim().parse().ok()
}

/// Without a process table antctl's own word is all there is.
fn without_table(service: &Service, reason: &str) -> ProcessState {
    match service.standing {
        Standing::Running if cfg!(not(target_os = "linux")) => ProcessState::Running { pid: None },
        Standing::Added | Standing::Stopped if cfg!(not(target_os = "linux")) => {
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

/// The path as it is written and, if that is another one, without symbolic links, as the kernel reports it.
fn spellings(program: &Path) -> Vec<PathBuf> {
    let mut spellings = vec![program.to_owned()];
    let directory = program.parent().and_then(|dir| dir.canonicalize().ok());
    if let Some(real) = directory
        .zip(program.file_name())
        .map(|(dir, name)| dir.join(name))
        && real != program
    {
        spellings.push(real);
    }
    spellings
}

fn before_replacement(exe: &Path) -> PathBuf {
    let mut bytes = exe.as_os_str().as_bytes();
    for ending in REPLACED {
        bytes = bytes.strip_suffix(ending).unwrap_or(bytes);
    }
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(test)]
mod tests;
