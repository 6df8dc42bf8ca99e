use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use procfs::FromRead;
use procfs::process::{Stat, Status};

use super::TableError;
use crate::matching::{Process, Program, RunningProgram};
use crate::process_ref::ProcessRef;

/// What the kernel appends to the path of a program whose file was replaced or deleted.
const REPLACED: &[u8] = b" (deleted)";

/// Initial buffer size, enough for nearly every file read here. procfs reports no file length, and the standard
/// library would start smaller and need six reads.
const USUAL_LENGTH: usize = 4096;

/// Most bytes to read from one file: the longest command line that Linux accepts.
const LIMIT: u64 = 6 << 20;

/// `/proc`.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    root: PathBuf,
    /// This process's pid namespace, as the target of its `ns/pid` link.
    own_namespace: OnceLock<Option<PathBuf>>,
}

impl Table {
    /// The machine's process table.
    pub fn system() -> Self {
        Self::at("/proc")
    }

    /// A table in another directory, for tests.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            own_namespace: OnceLock::new(),
        }
    }

    /// Program and arguments of every process whose program is `wanted`. Reads the program link first: that is
    /// one call, and it rules out most processes.
    pub fn running(
        &self,
        wanted: &dyn Fn(&Program) -> bool,
    ) -> Result<Vec<RunningProgram>, TableError> {
        let pids = self.pids()?;
        let found = pids.into_iter().filter_map(|pid| {
            let program = self.program(pid)?;
            if wanted(&program) {
                self.read_arguments(pid, program)
            } else {
                None
            }
        });
        Ok(found.collect())
    }

    /// Every process whose program is `wanted`.
    pub fn processes(&self, wanted: &dyn Fn(&Program) -> bool) -> Result<Vec<Process>, TableError> {
        let running = self.running(wanted)?.into_iter();
        Ok(running.filter_map(|it| self.describe(it)).collect())
    }

    /// One process in its current state; `None` if it has exited.
    pub fn process(&self, pid: i32) -> Option<Process> {
        self.describe(self.read_arguments(pid, self.program(pid)?)?)
    }

    /// When the process with this pid started; `None` if there is none or it has exited.
    pub fn start_time(&self, pid: i32) -> Option<u64> {
        self.process_ref(pid).map(|process| process.start)
    }

    /// References to all processes.
    pub fn all(&self) -> Result<Vec<ProcessRef>, TableError> {
        let pids = self.pids()?;
        Ok(pids
            .into_iter()
            .filter_map(|pid| self.process_ref(pid))
            .collect())
    }

    /// Fails if the system hides the processes of other accounts: then a missing process would prove nothing.
    pub fn check_shows_other_accounts(&self) -> Result<(), TableError> {
        match self.read(1, "stat") {
            Ok(_) => Ok(()),
            Err(_) => Err(TableError::Hidden(self.root.clone())),
        }
    }

    fn file(&self, pid: i32, name: &str) -> PathBuf {
        self.root.join(pid.to_string()).join(name)
    }

    fn read(&self, pid: i32, name: &str) -> io::Result<Vec<u8>> {
        let mut content = Vec::with_capacity(USUAL_LENGTH);
        let file = File::open(self.file(pid, name))?;
        file.take(LIMIT).read_to_end(&mut content)?;
        Ok(content)
    }

    fn pids(&self) -> Result<Vec<i32>, TableError> {
        let unreadable = |path: &Path, source| TableError::Unreadable {
            path: path.to_owned(),
            source,
        };
        // An empty directory in place of /proc would read without error.
        let own = self.root.join("self");
        let link = std::fs::read_link(&own).map_err(|source| unreadable(&own, source))?;
        if link.to_str().and_then(|text| text.parse().ok()) != Some(std::process::id()) {
            return Err(TableError::Foreign(self.root.clone()));
        }
        let entries =
            std::fs::read_dir(&self.root).map_err(|source| unreadable(&self.root, source))?;
        let mut pids = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| unreadable(&self.root, source))?;
            pids.extend(
                entry
                    .file_name()
                    .to_str()
                    .and_then(|n| n.parse::<i32>().ok()),
            );
        }
        Ok(pids)
    }

    /// `None` for a kernel thread and for a process that has exited or is exiting.
    fn program(&self, pid: i32) -> Option<Program> {
        match std::fs::read_link(self.file(pid, "exe")) {
            Ok(path) => Some(Program::At(strip_deleted_suffix(path))),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Some(Program::Hidden),
            Err(_) => None,
        }
    }

    fn read_arguments(&self, pid: i32, program: Program) -> Option<RunningProgram> {
        if self.is_in_container(pid) {
            return None;
        }
        let argv = self.read(pid, "cmdline").unwrap_or_default();
        Some(RunningProgram {
            pid,
            program,
            argv: split_arguments(&argv),
        })
    }

    fn describe(&self, running: RunningProgram) -> Option<Process> {
        let RunningProgram { pid, program, argv } = running;
        let id = self.process_ref(pid)?;
        let account = std::fs::metadata(self.root.join(pid.to_string()))
            .ok()?
            .uid();
        Some(Process {
            id,
            program,
            argv,
            account,
        })
    }

    fn process_ref(&self, pid: i32) -> Option<ProcessRef> {
        let text = self.read(pid, "stat").ok()?;
        let stat = Stat::from_read(text.as_slice()).ok()?;
        // A process lives on after its first thread has exited while other threads run.
        let ended = matches!(stat.state, 'Z' | 'X' | 'x') && stat.num_threads <= 1;
        (!ended).then_some(ProcessRef {
            pid,
            start: stat.starttime,
            parent: stat.ppid,
            group: stat.pgrp,
            session: stat.session,
        })
    }

    /// Whether the process runs in a container. There the same path names a different file, so its node could
    /// be mistaken for one of the machine's.
    fn is_in_container(&self, pid: i32) -> bool {
        // This takes one call and settles most processes, which share our namespace. The kernel shows the link
        // only for our own processes; the fallback costs several times as much.
        let namespace = |dir: PathBuf| std::fs::read_link(dir.join("ns/pid")).ok();
        let here = self
            .own_namespace
            .get_or_init(|| namespace(self.root.join("self")));
        if here.is_some() && *here == namespace(self.root.join(pid.to_string())) {
            return false;
        }
        self.read(pid, "status")
            .ok()
            .and_then(|text| Status::from_read(text.as_slice()).ok())
            .and_then(|status| status.nspid)
            .is_some_and(|numbers| numbers.len() > 1)
    }
}

fn strip_deleted_suffix(path: PathBuf) -> PathBuf {
    match path.as_os_str().as_bytes().strip_suffix(REPLACED) {
        Some(before) => PathBuf::from(OsStr::from_bytes(before)),
        None => path,
    }
}

fn split_arguments(cmdline: &[u8]) -> Vec<OsString> {
    let text = cmdline.strip_suffix(b"\0").unwrap_or(cmdline);
    if text.is_empty() {
        return Vec::new();
    }
    text.split(|byte| *byte == 0)
        .map(|word| OsString::from_vec(word.to_vec()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::portable;
    use super::*;

    #[test]
    fn empty_arguments_and_invalid_utf8_are_kept() {
        assert_eq!(split_arguments(b"a\0\0b c\0"), ["a", "", "b c"]);
        assert_eq!(split_arguments(b"\xff\0"), [OsString::from_vec(vec![0xff])]);
        assert!(split_arguments(b"").is_empty());
    }

    #[test]
    fn a_missing_table_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let empty = Table::at(dir.path());
        assert!(matches!(empty.all(), Err(TableError::Unreadable { .. })));
        std::os::unix::fs::symlink("1", dir.path().join("self")).unwrap();
        assert!(matches!(empty.all(), Err(TableError::Foreign(_))));
        assert!(matches!(
            empty.check_shows_other_accounts(),
            Err(TableError::Hidden(_))
        ));
    }

    #[test]
    fn both_tables_agree_on_this_process() {
        let own = i32::try_from(std::process::id()).unwrap();
        let here = Table::system().process(own).unwrap();
        let there = portable::Table::system().process(own).unwrap();
        assert_eq!(here.program, Program::At(std::env::current_exe().unwrap()));
        assert_eq!(here.program, there.program);
        assert_eq!(here.argv, there.argv);
        assert_eq!(here.account, there.account);
        assert_eq!(
            (here.id.parent, here.id.group, here.id.session),
            (there.id.parent, there.id.group, there.id.session)
        );
        let table = portable::Table::system();
        assert_eq!(table.start_time(own), Some(there.id.start));
        table.check_shows_other_accounts().unwrap();
        let wanted = |program: &Program| *program == here.program;
        let found = portable::Table::system().running(&wanted).unwrap();
        assert!(found.iter().any(|running| running.pid == own));
        let process = portable::Table::system().all().unwrap();
        assert!(process.contains(&there.id));
    }
}
