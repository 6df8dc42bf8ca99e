//! Services of the real antctl, with real node programs.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use wnm_tests::antctl::Stage;
use wnm_tests::call::{Background, Call, Outcome};
use wnm_tests::database::{Database, NodeRow};
use wnm_tests::wait::{LONG, until};

use super::{Ground, kill_in, running_in};
use crate::power::{self, PowerByCopy};
use crate::silence::{NOWHERE, Supervisor};

/// Room for eight nodes, each with a copy of a real program, in mebibytes.
pub const DISK: u32 = 1024;

/// A colony under an antctl that can be put out of the way.
pub struct Services {
    stage: Stage,
    /// What wnm calls.
    called: PathBuf,
    /// The same, while nobody is to find it.
    hidden: PathBuf,
    /// Calls wait for this pipe while antctl is to hang.
    pipe: PathBuf,
}

impl Services {
    /// Below `place`. `None` after saying that the test is skipped.
    pub fn below(place: &Path) -> Option<Self> {
        let systemctl = Path::new(env!("CARGO_BIN_EXE_stub-systemctl"));
        let mut stage = Stage::below(place, systemctl)?;
        let dir = stage.colony.dir().join("called");
        fs::create_dir(&dir).unwrap();
        let called = dir.join("antctl");
        fs::hard_link(&stage.antctl, &called).unwrap();
        stage.antctl.clone_from(&called);
        Some(Self {
            stage,
            called,
            hidden: dir.join("hidden"),
            pipe: dir.join("pipe"),
        })
    }
}

impl Ground for Services {
    fn init(&self, _program: &Path, options: &[String]) {
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let _made = self.stage.init("antctl+user", crate::stage::NEW, &options);
    }

    fn wnm(&self) -> Call {
        self.stage.wnm([""; 0])
    }

    fn database(&self) -> Database {
        self.stage.colony.database()
    }

    fn program(&self, version: &str) -> PathBuf {
        self.stage.program(version)
    }

    fn dir(&self) -> &Path {
        self.stage.colony.dir()
    }

    fn storage(&self) -> PathBuf {
        self.stage.colony.storage()
    }

    fn running(&self, rows: &[NodeRow]) -> BTreeSet<u32> {
        running_in(&self.stage.colony, rows)
    }

    fn kill_node(&self, row: &NodeRow) {
        kill_in(&self.stage.colony, row);
    }

    fn check_agreement(&self) {
        self.stage.check_agreement();
    }

    fn output(&self, row: &NodeRow) -> String {
        let log = format!("runtime/stub-systemd/{}.log", row.service);
        fs::read_to_string(self.dir().join(log)).unwrap_or_default()
    }

    fn cut_power(&self, operation: Background) -> Outcome {
        power::cut(self.dir(), self, operation)
    }

    fn supervisor(&self) -> Option<&dyn Supervisor> {
        Some(self)
    }
}

impl PowerByCopy for Services {
    fn kept(&self) -> &[&str] {
        &["nodes", "data", "config"]
    }

    /// antctl and what it calls, which go on when wnm is stopped, and whatever they start meanwhile.
    fn stop(&self) {
        let mut stopped = BTreeSet::new();
        until(LONG, "nothing new to be started", || {
            let processes = self.stage.colony.processes();
            let new = processes
                .iter()
                .filter(|process| stopped.insert(process.pid));
            let new: Vec<_> = new.collect();
            for process in &new {
                process.signal(Signal::SIGSTOP);
            }
            new.is_empty()
        });
    }

    /// What systemd keeps in memory is gone.
    fn off(&self) {
        let memory = self.dir().join("runtime/stub-systemd");
        if memory.exists() {
            fs::remove_dir_all(memory).unwrap();
        }
    }
}

impl Supervisor for Services {
    /// A call waits before it does anything.
    fn freeze(&self) {
        nix::unistd::mkfifo(&self.pipe, Mode::from_bits_truncate(0o644)).expect("no pipe");
        let text = format!(
            "#!/bin/sh\nread -r _ <{}\nexec {} \"$@\"\n",
            self.pipe.display(),
            self.dir().join("programs/antctl").display()
        );
        let beside = self.called.with_extension("new");
        fs::write(&beside, text).unwrap();
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(beside, &self.called).unwrap();
    }

    fn thaw(&self) {
        // Opened for both it waits for nobody. Who waits at it goes on when it is closed, and who comes later finds
        // none.
        let pipe = fs::File::options().read(true).write(true).open(&self.pipe);
        fs::remove_file(&self.pipe).unwrap();
        drop(pipe.unwrap());
        let beside = self.called.with_extension("new");
        fs::hard_link(self.dir().join("programs/antctl"), &beside).unwrap();
        fs::rename(beside, &self.called).unwrap();
    }

    fn leave(&self) {
        fs::rename(&self.called, &self.hidden).unwrap();
    }

    fn come_back(&self) {
        fs::rename(&self.hidden, &self.called).unwrap();
    }

    /// antctl is there, but the systemd that it calls is not.
    fn lost(&self, _entirely: bool) -> Call {
        self.wnm().env("PATH", NOWHERE)
    }
}
