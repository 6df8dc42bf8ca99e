//! A colony of its own for each test, and the proof that nothing of it is left behind.

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

/// Keeps the directory of every test when it is set, to look at after a failure.
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

/// Options under which every cycle may act: no delays, and thresholds that no machine passes. Without them a
/// busy test machine would rightly be left alone.
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

/// A private home directory with a colony in it. When dropped, every process of it is killed and everything
/// is deleted.
pub struct Colony {
    dir: TempDir,
    /// The ports of its nodes.
    pub ports: PortBlock,
}

impl Colony {
    /// Room for a few nodes. No colony is made yet: see [`Colony::init`].
    pub fn new() -> Self {
        Self::for_nodes(ROOM)
    }

    /// Room for nodes 1 to `highest`.
    pub fn for_nodes(highest: u16) -> Self {
        Self::below(&std::env::temp_dir(), highest)
    }

    /// The same in a directory of its own below `place`, which may be another file system.
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

    /// The directory that everything of this test is in.
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

    /// The database, in a place of its own and not the default one.
    pub fn database(&self) -> Database {
        Database::at(&self.database_path())
    }

    /// Where the database is.
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

    /// Makes the colony: `manager` such as `setsid+user`, `program` for its nodes, and further options. The
    /// firewall of the machine that the tests run on is left alone unless they name one.
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

    /// Its processes: what runs a file or has a root directory below this test's directory.
    pub fn processes(&self) -> Vec<Process> {
        processes::below(self.dir())
    }

    /// The directories of nodes, by name.
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

    /// Fails the test when the product left something: a process, a node's directory, a node's row.
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
        // More than once: a process may start another while it is killed.
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
