//! The process table through sysinfo, for systems without `/proc`.

use nix::unistd::{Pid, getpgid, getsid};
use sysinfo::{ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

use super::TableError;
use crate::matching::{Process, Program, RunningProgram};
use crate::process_ref::ProcessRef;

/// What error messages call the table, which has no path here.
const PLACE: &str = "the system's process list";

/// The system's process table, read anew on each call.
#[derive(Debug, Clone)]
pub(crate) struct Table;

impl Table {
    /// The machine's process table.
    pub fn system() -> Self {
        Self
    }

    /// Program and arguments of every process whose program is `wanted`.
    pub fn running(
        &self,
        wanted: &dyn Fn(&Program) -> bool,
    ) -> Result<Vec<RunningProgram>, TableError> {
        let found = self.processes(wanted)?.into_iter();
        let running = found.map(|process| RunningProgram {
            pid: process.id.pid,
            program: process.program,
            argv: process.argv,
        });
        Ok(running.collect())
    }

    /// Every process whose program is `wanted`.
    pub fn processes(&self, wanted: &dyn Fn(&Program) -> bool) -> Result<Vec<Process>, TableError> {
        let system = all()?;
        let found = system.processes().values().filter_map(describe);
        Ok(found.filter(|process| wanted(&process.program)).collect())
    }

    /// One process in its current state; `None` if it has exited.
    pub fn process(&self, pid: i32) -> Option<Process> {
        let pid = sysinfo::Pid::from_u32(u32::try_from(pid).ok()?);
        read(ProcessesToUpdate::Some(&[pid]))
            .ok()?
            .process(pid)
            .and_then(describe)
    }

    /// When the process with this pid started; `None` if there is none or it has exited.
    pub fn start_time(&self, pid: i32) -> Option<u64> {
        self.process(pid).map(|process| process.id.start)
    }

    /// References to all processes.
    pub fn all(&self) -> Result<Vec<ProcessRef>, TableError> {
        let system = all()?;
        Ok(system
            .processes()
            .values()
            .filter_map(process_ref)
            .collect())
    }

    /// Fails unless the caller is root. macOS shows everyone the program of every process, but shows its start
    /// time, which tells it from a later process with the same pid, only to root and the process's own account.
    pub fn check_shows_other_accounts(&self) -> Result<(), TableError> {
        if nix::unistd::geteuid().is_root() {
            Ok(())
        } else {
            Err(TableError::RootOnly(PLACE.into()))
        }
    }
}

fn read(which: ProcessesToUpdate<'_>) -> Result<System, TableError> {
    let unreadable = |error| TableError::Unreadable {
        path: PLACE.into(),
        source: std::io::Error::other(error),
    };
    let mut system = System::new().map_err(unreadable)?;
    let what = ProcessRefreshKind::nothing()
        .with_exe(UpdateKind::Always)
        .with_cmd(UpdateKind::Always)
        .with_user(UpdateKind::Always)
        .without_tasks();
    system.refresh_processes_specifics(which, true, what);
    Ok(system)
}

/// Reads the whole table. A table without this process was not read properly.
fn all() -> Result<System, TableError> {
    let system = read(ProcessesToUpdate::All)?;
    match system.process(sysinfo::Pid::from_u32(std::process::id())) {
        Some(_) => Ok(system),
        None => Err(TableError::Foreign(PLACE.into())),
    }
}

fn process_ref(process: &sysinfo::Process) -> Option<ProcessRef> {
    if matches!(
        process.status(),
        ProcessStatus::Zombie | ProcessStatus::Dead
    ) {
        return None;
    }
    let pid = i32::try_from(process.pid().as_u32()).ok()?;
    let this = Pid::from_raw(pid);
    Some(ProcessRef {
        pid,
        start: process.start_time(),
        parent: process
            .parent()
            .and_then(|parent| i32::try_from(parent.as_u32()).ok())
            .unwrap_or(0),
        group: getpgid(Some(this)).ok()?.as_raw(),
        session: getsid(Some(this)).ok()?.as_raw(),
    })
}

fn describe(process: &sysinfo::Process) -> Option<Process> {
    Some(Process {
        id: process_ref(process)?,
        program: match process.exe() {
            Some(path) => Program::At(path.to_owned()),
            None => Program::Hidden,
        },
        argv: process.cmd().to_vec(),
        account: process.user_id().map_or(u32::MAX, |user| **user),
    })
}
