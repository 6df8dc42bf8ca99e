//! A colony whose nodes are jobs of a launchd.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::backend::run_until_running;
use crate::call::{Call, Outcome};
use crate::colony::{Colony, EAGER};
use crate::database::NodeRow;
use crate::launchd::Launchd;
use crate::nodes;

/// A colony and its launchd, which is dropped first: it would restart killed nodes.
pub struct LaunchdFixture {
    /// The launchd.
    pub launchd: Launchd,
    /// The colony.
    pub colony: Colony,
    /// Where launchd is when it is not in the colony's directory.
    #[cfg(not(target_os = "macos"))]
    _own_dir: Option<tempfile::TempDir>,
}

impl LaunchdFixture {
    /// An empty colony. `None` after saying that the test is skipped.
    pub fn up() -> Option<Self> {
        let colony = Colony::new();
        #[cfg(target_os = "macos")]
        let launchd = Launchd::up()?;
        #[cfg(not(target_os = "macos"))]
        let launchd = Launchd::up(colony.dir());
        Some(Self {
            launchd,
            colony,
            #[cfg(not(target_os = "macos"))]
            _own_dir: None,
        })
    }

    /// A colony below `place`, and a launchd that loads its jobs at boot. The launchd is on another disk, since the
    /// colony's may be full.
    #[cfg(not(target_os = "macos"))]
    pub fn below(place: &Path) -> Self {
        let colony = Colony::below(place, crate::colony::ROOM);
        let dir = tempfile::tempdir().expect("no directory for launchd");
        let mut behaviour = super::Behaviour::default();
        let files = colony.home().join("Library/LaunchAgents");
        behaviour.takes_at_boot(&format!("gui/{}", nix::unistd::geteuid()), &files);
        Self {
            launchd: Launchd::behaving(dir.path(), behaviour),
            colony,
            _own_dir: Some(dir),
        }
    }

    /// A call of `wnm`.
    pub fn wnm<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Call {
        self.launchd.seen_by(self.colony.wnm(args))
    }

    /// Creates the colony, with `program` for its nodes.
    pub fn init(&self, program: &Path, options: &[&str]) -> Outcome {
        let ports = &self.colony.ports;
        self.wnm(["--init", "--no-upnp", "--process-manager=launchd+user"])
            .args(["--rewards-address", nodes::WALLET])
            .args([&format!("--environment=ANT_PEERS={}", nodes::NOWHERE)])
            .args([OsStr::new("--antnode-path"), program.as_os_str()])
            .args([
                OsStr::new("--node-storage"),
                self.colony.storage().as_os_str(),
            ])
            .args(["--port-start", &ports.node.to_string()])
            .args(["--metrics-port-start", &ports.metrics.to_string()])
            .args(["--rpc-port-start", &ports.rpc.to_string()])
            .args(["--firewall", "none"])
            .args(EAGER)
            .args(options)
            .run()
            .succeeded()
    }

    /// Calls launchctl.
    pub fn launchctl<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Outcome {
        let (home, temporary) = (self.colony.home(), self.colony.temporary());
        let call = Call::new(Path::new("launchctl"), &home, &temporary);
        // The call finds it on its PATH.
        self.launchd.seen_by(call).args(args).run()
    }

    /// The process of a job. `None` while it has none, or is not loaded.
    pub fn pid(&self, label: &str) -> Option<i32> {
        let list = self.launchctl(["list"]).succeeded().stdout;
        let row = list
            .lines()
            .find(|line| line.ends_with(&format!("\t{label}")))?;
        row.split('\t').next()?.parse().ok()
    }

    /// The labels of loaded nodes.
    pub fn loaded(&self) -> Vec<String> {
        let list = self.launchctl(["list"]).succeeded().stdout;
        let labels = list.lines().filter_map(|line| line.split('\t').nth(2));
        let nodes = labels.filter(|label| label.contains("antnode"));
        let mut nodes: Vec<String> = nodes.map(str::to_owned).collect();
        nodes.sort();
        nodes
    }

    /// The directory of the jobs' files.
    pub fn job_dir(&self) -> PathBuf {
        self.colony.home().join("Library/LaunchAgents")
    }

    /// The names of the jobs' files.
    pub fn job_files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.job_dir()).into_iter().flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry cannot be read").file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// The rows of its nodes.
    pub fn nodes(&self) -> Vec<NodeRow> {
        self.colony.database().nodes()
    }

    /// The status words, by node.
    pub fn statuses(&self) -> Vec<String> {
        self.nodes().into_iter().map(|node| node.status).collect()
    }

    /// Adds nodes until the colony has this many, and waits until all run. The operator asks for them, since a cycle
    /// would rightly hold back on a busy machine.
    pub fn grow(&self, count: usize) {
        let missing = count.saturating_sub(self.nodes().len());
        let add = format!("--count={missing}");
        let _ = self.wnm(["--force-action=add", &add]).run().succeeded();
        run_until_running(&self.colony.database(), count, || {
            self.wnm(["--force-action=survey"])
        });
    }

    /// Fails the test when a job, its file, a process, a directory or a row is left.
    #[track_caller]
    pub fn assert_nothing_left(&self) {
        assert_eq!(self.loaded(), [] as [&str; 0], "jobs");
        assert_eq!(self.job_files(), [] as [&str; 0], "files of jobs");
        self.colony.assert_nothing_left();
    }
}
