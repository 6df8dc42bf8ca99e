//! A colony in a booted machine with a systemd.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{As, System};
use crate::backend::run_until_running;
use crate::call::{Call, Outcome};
use crate::colony::EAGER;
use crate::database::{Database, NodeRow};
use crate::wait::{LONG, until};
use crate::{binaries, nodes};

/// A machine with room for a colony.
pub struct Machine {
    /// The machine.
    pub system: System,
    who: As,
    /// A directory that the machine sees, too.
    pub programs: tempfile::TempDir,
    /// The node storage, where it is not the program's default.
    storage: Option<PathBuf>,
}

impl Machine {
    /// Boots a machine. `None` after saying that the test is skipped.
    pub fn up(who: As) -> Option<Self> {
        Self::below(&std::env::temp_dir(), who)
    }

    /// The same with the nodes beside the database, both below `place`, which may be another file system.
    pub fn with_nodes_below(place: &Path, who: As) -> Option<Self> {
        let mut machine = Self::below(place, who)?;
        machine.storage = Some(machine.programs.path().join("state/nodes"));
        Some(machine)
    }

    fn below(place: &Path, who: As) -> Option<Self> {
        let programs = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir_in(place)
            .unwrap();
        let wnm = programs.path().join("wnm");
        std::fs::copy(binaries::wnm(), &wnm).unwrap();
        // Not in a home of the machine: from here SQLite cannot follow paths into it.
        let state = programs.path().join("state");
        std::fs::create_dir(&state).unwrap();
        std::os::unix::fs::chown(&state, Some(who.uid()), Some(who.uid())).unwrap();
        let system = System::up(&[programs.path()])?;
        let machine = Self {
            system,
            who,
            programs,
            storage: None,
        };
        if who == As::Ann {
            // Her systemd comes up with the machine, since she lingers. Its bus follows a moment later.
            until(LONG, "Ann's systemd", || {
                machine.systemctl(["is-system-running"]).stdout.trim() == "running"
            });
        }
        Some(machine)
    }

    /// A simulated node program that the machine sees, too.
    pub fn program(&self, version: &str) -> PathBuf {
        nodes::simulated(self.programs.path(), version)
    }

    /// The manager of the colony.
    pub fn kind(&self) -> &'static str {
        match self.who {
            As::Root => "systemd+sudo",
            As::Ann => "systemd+user",
        }
    }

    /// The node storage in the machine.
    pub fn storage(&self) -> PathBuf {
        if let Some(storage) = &self.storage {
            return storage.clone();
        }
        match self.who {
            As::Root => "/var/antctl/services".into(),
            As::Ann => self.who.home().join(".local/share/autonomi/node"),
        }
    }

    /// The directory of units in the machine.
    pub fn unit_dir(&self) -> PathBuf {
        match self.who {
            As::Root => "/etc/systemd/system".into(),
            As::Ann => self.who.home().join(".config/systemd/user"),
        }
    }

    /// A call of `wnm`.
    pub fn wnm<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Call {
        let wnm = self.programs.path().join("wnm");
        self.system
            .call(self.who, &wnm, args)
            .env("DBPATH", self.database())
    }

    /// Runs a program.
    pub fn run<S: AsRef<OsStr>>(
        &self,
        program: &str,
        args: impl IntoIterator<Item = S>,
    ) -> Outcome {
        self.run_as(self.who, program, args)
    }

    /// Runs a program with another account.
    pub fn run_as<S: AsRef<OsStr>>(
        &self,
        who: As,
        program: &str,
        args: impl IntoIterator<Item = S>,
    ) -> Outcome {
        self.system.call(who, Path::new(program), args).run()
    }

    /// Calls the `systemctl` of the systemd that runs the nodes.
    pub fn systemctl<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Outcome {
        self.system.systemctl(self.who, args)
    }

    /// Creates the colony.
    pub fn init(&self, program: &Path, options: &[&str]) -> Outcome {
        self.init_with(program, EAGER.into_iter(), options)
    }

    /// Creates a colony in which this many changes may be under way at once.
    pub fn init_at_once(&self, program: &Path, at_once: u32, options: &[&str]) -> Outcome {
        let mut limits = vec![];
        for name in ["starts", "upgrades", "removals", "operations"] {
            limits.push(format!("--max-concurrent-{name}={at_once}"));
        }
        let eager = EAGER
            .into_iter()
            .filter(|word| !word.contains("concurrent"));
        let eager = eager.chain(limits.iter().map(String::as_str));
        self.init_with(program, eager, options)
    }

    fn init_with<'a>(
        &self,
        program: &Path,
        eager: impl Iterator<Item = &'a str>,
        options: &[&str],
    ) -> Outcome {
        self.wnm(["--init", "--no-upnp", "--process-manager", self.kind()])
            .args(["--rewards-address", nodes::WALLET])
            .args([&format!("--environment=ANT_PEERS={}", nodes::NOWHERE)])
            .args([Path::new("--antnode-path"), program])
            .args(
                self.storage
                    .iter()
                    .flat_map(|dir| [Path::new("--node-storage"), dir]),
            )
            .args(eager)
            .args(options)
            .run()
            .succeeded()
    }

    /// The rows of its nodes.
    pub fn nodes(&self) -> Vec<NodeRow> {
        Database::at(&self.database()).nodes()
    }

    /// The path of the database, here and in the machine.
    pub fn database(&self) -> PathBuf {
        self.programs.path().join("state/colony.db")
    }

    /// The status words, by node.
    pub fn statuses(&self) -> Vec<String> {
        self.nodes().into_iter().map(|node| node.status).collect()
    }

    /// The state of a unit, in systemd's word.
    pub fn state(&self, unit: &str) -> String {
        self.systemctl(["is-active", unit]).stdout.trim().to_owned()
    }

    /// The number in the machine of a unit's process.
    pub fn main_pid(&self, unit: &str) -> Option<i32> {
        let output = self
            .systemctl(["show", "--property=MainPID", "--value", unit])
            .succeeded();
        output.stdout.trim().parse().ok().filter(|pid| *pid > 0)
    }

    /// The path from here to a file in the directory of units.
    pub fn unit_file(&self, name: &str) -> PathBuf {
        self.system.path(&self.unit_dir().join(name))
    }

    /// Adds nodes until the colony has this many, and waits until all run. The operator asks for them, since a cycle
    /// would rightly hold back on a busy machine.
    pub fn grow(&self, count: usize) {
        let missing = count.saturating_sub(self.nodes().len());
        let _ = self
            .wnm(["--force-action=add", &format!("--count={missing}")])
            .run()
            .succeeded();
        run_until_running(&Database::at(&self.database()), count, || {
            self.wnm(["--force-action=survey"])
        });
    }

    /// Runs cycles until this many nodes run.
    pub fn grow_by_cycles(&self, count: usize) {
        run_until_running(&Database::at(&self.database()), count, || self.wnm([""; 0]));
    }
}
