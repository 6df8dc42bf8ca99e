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
use crate::process::{Kin, Process, Program, Running};

/// What the kernel appends to the path of a program whose file has been replaced or deleted.
const REPLACED: &[u8] = b" (deleted)";

/// Room for nearly all of what is read here. For a file that tells no length the standard library begins with less
/// and asks the kernel six times.
const USUAL_LENGTH: usize = 4096;

/// Most bytes of a file here: the longest command line that Linux takes.
const LIMIT: u64 = 6 << 20;

/// `/proc`.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    root: PathBuf,
    /// The namespace of process numbers that this process is in, as a link tells it.
    own_namespace: OnceLock<Option<PathBuf>>,
}

impl Table {
    /// The machine's.
    pub fn system() -> Self {
        Self::at("/proc")
    }

    /// One somewhere else, for tests.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            own_namespace: OnceLock::new(),
        }
    }

    /// What every process runs whose program is `wanted`. The link to the program is read first: it is one call,
    /// and most processes are of no interest after it.
    pub fn running(&self, wanted: &dyn Fn(&Program) -> bool) -> Result<Vec<Running>, TableError> {
        let pids = self.pids()?;
        let found = pids.into_iter().filter_map(|pid| {
            let program = self.program(pid)?;
            if wanted(&program) {
                self.running_as(pid, program)
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

    /// One process as it is now; `None` once it has ended.
    pub fn look(&self, pid: i32) -> Option<Process> {
        self.describe(self.running_as(pid, self.program(pid)?)?)
    }

    /// When the process that now has this number started; `None` when none has it or it has ended.
    pub fn start_of(&self, pid: i32) -> Option<u64> {
        self.kin_of(pid).map(|kin| kin.start)
    }

    /// The place of every process among the others.
    pub fn everyone(&self) -> Result<Vec<Kin>, TableError> {
        let pids = self.pids()?;
        Ok(pids
            .into_iter()
            .filter_map(|pid| self.kin_of(pid))
            .collect())
    }

    /// Fails where processes of other accounts do not show: their absence would say nothing.
    pub fn must_show_others(&self) -> Result<(), TableError> {
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
        // An empty directory where /proc should be reads without any error.
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

    /// `None` for a kernel thread, and for a process that has ended or is just ending.
    fn program(&self, pid: i32) -> Option<Program> {
        match std::fs::read_link(self.file(pid, "exe")) {
            Ok(path) => Some(Program::At(without_mark(path))),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Some(Program::Hidden),
            Err(_) => None,
        }
    }

    fn running_as(&self, pid: i32, program: Program) -> Option<Running> {
        if self.is_nested(pid) {
            return None;
        }
        let argv = self.read(pid, "cmdline").unwrap_or_default();
        Some(Running {
            pid,
            program,
            argv: words(&argv),
        })
    }

    fn describe(&self, running: Running) -> Option<Process> {
        let Running { pid, program, argv } = running;
        let kin = self.kin_of(pid)?;
        let account = std::fs::metadata(self.root.join(pid.to_string()))
            .ok()?
            .uid();
        Some(Process {
            kin,
            program,
            argv,
            account,
        })
    }

    fn kin_of(&self, pid: i32) -> Option<Kin> {
        let text = self.read(pid, "stat").ok()?;
        let stat = Stat::from_read(text.as_slice()).ok()?;
        // While other threads run, a process lives on although its first thread has ended.
        let ended = matches!(stat.state, 'Z' | 'X' | 'x') && stat.num_threads <= 1;
        (!ended).then_some(Kin {
            pid,
            start: stat.starttime,
            parent: stat.ppid,
            group: stat.pgrp,
            session: stat.session,
        })
    }

    /// Whether it lives in a container of its own. There the same path names another file, so a node in a
    /// container could be taken for one of the machine's.
    fn is_nested(&self, pid: i32) -> bool {
        // One call, and most processes live where this one does. The kernel tells it of one's own processes only, and
        // the other way is several times as much work for it.
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

fn without_mark(path: PathBuf) -> PathBuf {
    match path.as_os_str().as_bytes().strip_suffix(REPLACED) {
        Some(before) => PathBuf::from(OsStr::from_bytes(before)),
        None => path,
    }
}

fn words(cmdline: &[u8]) -> Vec<OsString> {
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
    fn empty_words_and_odd_bytes_are_kept() {
        assert_eq!(words(b"a\0\0b c\0"), ["a", "", "b c"]);
        assert_eq!(words(b"\xff\0"), [OsString::from_vec(vec![0xff])]);
        assert!(words(b"").is_empty());
    }

    #[test]
    fn a_table_that_is_not_there_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let empty = Table::at(dir.path());
        assert!(matches!(
            empty.everyone(),
            Err(TableError::Unreadable { .. })
        ));
        std::os::unix::fs::symlink("1", dir.path().join("self")).unwrap();
        assert!(matches!(empty.everyone(), Err(TableError::Foreign(_))));
        assert!(matches!(
            empty.must_show_others(),
            Err(TableError::Hidden(_))
        ));
    }

    #[test]
    fn both_tables_see_this_process_alike() {
        let own = i32::try_from(std::process::id()).unwrap();
        let here = Table::system().look(own).unwrap();
        let there = portable::Table::system().look(own).unwrap();
        assert_eq!(here.program, Program::At(std::env::current_exe().unwrap()));
        assert_eq!(here.program, there.program);
        assert_eq!(here.argv, there.argv);
        assert_eq!(here.account, there.account);
        assert_eq!(
            (here.kin.parent, here.kin.group, here.kin.session),
            (there.kin.parent, there.kin.group, there.kin.session)
        );
        let table = portable::Table::system();
        assert_eq!(table.start_of(own), Some(there.kin.start));
        table.must_show_others().unwrap();
        let wanted = |program: &Program| *program == here.program;
        let found = portable::Table::system().running(&wanted).unwrap();
        assert!(found.iter().any(|running| running.pid == own));
        let kin = portable::Table::system().everyone().unwrap();
        assert!(kin.contains(&there.kin));
    }
}
