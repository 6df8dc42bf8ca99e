//! A colony for each test, and the check that the test leaves nothing of it behind.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::call::{Call, Outcome};
use crate::database::Database;
use crate::nodes;
use crate::ports::PortBlock;
use crate::processes::{self, Process};
use crate::{binaries, wait};

/// When it is set, the directory of every test is kept for inspection.
const KEEP: &str = "WNM_KEEP_TEST_DIRS";

/// The database, in the directory of a colony.
pub(crate) const DATABASE: &str = "colony.db";

/// The node storage, in the directory of a colony.
pub(crate) const STORAGE: &str = "nodes";

/// The node programs, in the directory of a colony.
pub(crate) const PROGRAMS: &str = "programs";

/// Nodes that a colony has room for: more than nearly all tests create.
pub const ROOM: u16 = 20;

/// How long killed processes may take to be gone.
const GONE: Duration = Duration::from_secs(30);

/// Options under which every cycle may act: no delays, and thresholds that no machine passes. Otherwise wnm would
/// rightly leave a busy test machine alone.
pub const EAGER: [&str; 14] = [
    "--delay-start=0",
    "--delay-restart=0",
    "--delay-upgrade=0",
    "--delay-remove=0",
    "--cpu-less-than=199",
    "--cpu-remove=200",
    "--mem-less-than=199",
    "--mem-remove=200",
    "--hd-less-than=199",
    "--hd-remove=200",
    "--desired-load-average=1000",
    "--max-load-average-allowed=2000",
    "--max-concurrent-starts=3",
    "--max-concurrent-operations=3",
];

/// A private home directory with a colony in it. Dropping it kills all of its processes and deletes all of its files.
pub struct Colony {
    dir: TempDir,
    /// The ports of its nodes.
    pub ports: PortBlock,
}

impl Colony {
    /// Room for a few nodes. [`Colony::init`] creates the colony.
    pub fn new() -> Self {
        Self::for_nodes(ROOM)
    }

    /// Room for nodes 1 to `highest`.
    pub fn for_nodes(highest: u16) -> Self {
        Self::below(&std::env::temp_dir(), highest)
    }

    /// The same in a new directory below `place`, which may be another file system.
    pub fn below(place: &Path, highest: u16) -> Self {
        let mut dir = tempfile::Builder::new()
            .prefix("wnm-test-")
            .tempdir_in(place)
            .expect("no directory for the test");
        dir.disable_cleanup(std::env::var_os(KEEP).is_some());
        let colony = Self {
            dir,
            ports: PortBlock::claim(highest),
        };
        for made in [colony.home(), colony.temporary(), colony.storage()] {
            fs::create_dir_all(made).expect("no directory for the test");
        }
        colony
    }

    /// A colony of detached processes with room for a few simulated nodes, and without any.
    pub fn simulated(version: &str, options: &[&str]) -> Self {
        let colony = Self::new();
        let program = colony.program(version);
        colony.init("setsid+user", &program, EAGER.iter().chain(options));
        colony
    }

    /// The directory of this test.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// `HOME`.
    pub fn home(&self) -> PathBuf {
        self.dir().join("home")
    }

    /// `TMPDIR`.
    pub fn temporary(&self) -> PathBuf {
        self.dir().join("tmp")
    }

    /// The node storage.
    pub fn storage(&self) -> PathBuf {
        self.dir().join(STORAGE)
    }

    /// The database. It is not in the default place.
    pub fn database(&self) -> Database {
        Database::at(&self.database_path())
    }

    /// The path of the database.
    pub fn database_path(&self) -> PathBuf {
        self.dir().join(DATABASE)
    }

    /// A simulated node program of this version.
    pub fn program(&self, version: &str) -> PathBuf {
        nodes::simulated(&self.dir().join(PROGRAMS), version)
    }

    /// A call of `wnm` on this colony: `DBPATH` leads to its database.
    pub fn wnm<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Call {
        Call::new(&binaries::wnm(), &self.home(), &self.temporary())
            .env("DBPATH", self.database_path())
            .env("ANT_PEERS", nodes::NOWHERE)
            .args(args)
    }

    /// Creates the colony: `manager` such as `setsid+user`, `program` for its nodes, and further options. It leaves the
    /// firewall of this machine alone unless they name one.
    pub fn init<S: AsRef<OsStr>>(
        &self,
        manager: &str,
        program: &Path,
        options: impl IntoIterator<Item = S>,
    ) -> Outcome {
        self.wnm(["--init", "--no-upnp", "--process-manager", manager])
            .args(["--rewards-address", nodes::WALLET])
            .args([OsStr::new("--antnode-path"), program.as_os_str()])
            .args([OsStr::new("--node-storage"), self.storage().as_os_str()])
            .args(["--port-start", &self.ports.node.to_string()])
            .args(["--metrics-port-start", &self.ports.metrics.to_string()])
            .args(["--rpc-port-start", &self.ports.rpc.to_string()])
            .args(["--firewall", "none"])
            .args(options)
            .run()
            .succeeded()
    }

    /// Its processes: those that run a file below this test's directory, or have their root directory there.
    pub fn processes(&self) -> Vec<Process> {
        processes::below(self.dir())
    }

    /// The names of the nodes' directories.
    pub fn node_dirs(&self) -> Vec<String> {
        let entries = fs::read_dir(self.storage()).expect("the node storage cannot be read");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry cannot be read").file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .filter(|name| name.starts_with("antnode"))
            .collect();
        names.sort();
        names
    }

    /// Fails the test when a process, a directory or a row of a node is left.
    #[track_caller]
    pub fn assert_nothing_left(&self) {
        let processes = self.processes();
        let dirs = self.node_dirs();
        let rows = self.database().nodes();
        assert!(
            processes.is_empty() && dirs.is_empty() && rows.is_empty(),
            "left behind:\nprocesses {processes:#?}\ndirectories {dirs:?}\nrows {rows:#?}"
        );
    }
}

impl Default for Colony {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Colony {
    fn drop(&mut self) {
        if std::env::var_os(KEEP).is_some() {
            eprintln!("kept: {}", self.dir().display());
        }
        // Repeatedly: a process may start another while it is killed.
        let gone = wait::found_within(GONE, || {
            let left = self.processes();
            for process in &left {
                process.signal(Signal::SIGKILL);
            }
            left.is_empty().then_some(())
        });
        // A second panic would abort and hide the first one.
        if gone.is_none() && !std::thread::panicking() {
            panic!("killed and still there: {:#?}", self.processes());
        }
    }
}
