//! The same through sysinfo, for systems without `/proc`.

use nix::unistd::{Pid, getpgid, getsid};
use sysinfo::{ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

use super::TableError;
use crate::process::{Kin, Process, Program, Running};

/// What the table is called where it has no path.
const PLACE: &str = "the system's list";

/// The system's table, read anew with every question.
#[derive(Debug, Clone)]
pub(crate) struct Table;

impl Table {
    /// The machine's.
    pub fn system() -> Self {
        Self
    }

    /// What every process runs whose program is `wanted`.
    pub fn running(&self, wanted: &dyn Fn(&Program) -> bool) -> Result<Vec<Running>, TableError> {
        let found = self.processes(wanted)?.into_iter();
        let running = found.map(|process| Running {
            pid: process.kin.pid,
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

    /// One process as it is now; `None` once it has ended.
    pub fn look(&self, pid: i32) -> Option<Process> {
        let pid = sysinfo::Pid::from_u32(u32::try_from(pid).ok()?);
        read(ProcessesToUpdate::Some(&[pid]))
            .ok()?
            .process(pid)
            .and_then(describe)
    }

    /// When the process that now has this number started; `None` when none has it or it has ended.
    pub fn start_of(&self, pid: i32) -> Option<u64> {
        self.look(pid).map(|process| process.kin.start)
    }

    /// The place of every process among the others.
    pub fn everyone(&self) -> Result<Vec<Kin>, TableError> {
        let system = all()?;
        Ok(system.processes().values().filter_map(kin_of).collect())
    }

    /// macOS shows the program of every process to everyone, and when it started, by which it is told from a later
    /// one of the same number, to root and its own account alone.
    pub fn must_show_others(&self) -> Result<(), TableError> {
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

/// A table without this very process was not read at all.
fn all() -> Result<System, TableError> {
    let system = read(ProcessesToUpdate::All)?;
    match system.process(sysinfo::Pid::from_u32(std::process::id())) {
        Some(_) => Ok(system),
        None => Err(TableError::Foreign(PLACE.into())),
    }
}

fn kin_of(process: &sysinfo::Process) -> Option<Kin> {
    if matches!(
        process.status(),
        ProcessStatus::Zombie | ProcessStatus::Dead
    ) {
        return None;
    }
    let pid = i32::try_from(process.pid().as_u32()).ok()?;
    let this = Pid::from_raw(pid);
    Some(Kin {
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
        kin: kin_of(process)?,
        program: match process.exe() {
            Some(path) => Program::At(path.to_owned()),
            None => Program::Hidden,
        },
        argv: process.cmd().to_vec(),
        account: process.user_id().map_or(u32::MAX, |user| **user),
    })
}
