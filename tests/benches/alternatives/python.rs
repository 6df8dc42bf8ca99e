//! The Python wnm, where it is installed.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use wnm_tests::fleet::Fleet;

use crate::copy_database;

const VERSION: &str = "0.6.3";

/// What its survey does with each node, and nothing else.
const ASKING: &str = "import sys; from wnm.utils import read_node_metadata, read_node_metrics
for port in open(sys.argv[1]):
    told = read_node_metadata('127.0.0.1', int(port)), read_node_metrics('127.0.0.1', int(port))
    assert [one['status'] for one in told] == ['RUNNING', 'RUNNING'], port";

/// An installation in a virtual environment.
pub struct Python {
    dir: PathBuf,
}

impl Python {
    /// The installation that `.ci/python-wnm` made. `None` after saying that there is none.
    pub fn find() -> Option<Self> {
        let complete = wnm_tests::real::PYTHON.file(Path::new(VERSION).join(".complete"))?;
        let dir = complete.parent()?.to_owned();
        Some(Self { dir })
    }

    /// A call on a copy of the fleet's database as it is now, so that neither program sees the other's writes.
    pub fn wnm(&self, fleet: &Fleet, args: &[&str]) -> Command {
        let database = fleet.dir().join("python.db");
        copy_database(&fleet.database(), &database);
        let mut path = fleet.home().join(".local/bin").into_os_string();
        path.push(":/usr/sbin:/usr/bin:/sbin:/bin");
        let mut command = Command::new(self.dir.join("bin/wnm"));
        command
            .args(args)
            // It asks PATH for the node program, whatever its options say.
            .env("PATH", path)
            .env("HOME", fleet.home())
            .env("DBPATH", format!("sqlite:///{}", database.display()))
            // It reads its migrations from the working directory.
            .current_dir(self.dir.join("source"));
        command
    }

    /// Asks the nodes whose metrics ports are in a file, with the functions of its survey.
    pub fn asking(&self, fleet: &Fleet, ports: &Path) -> Command {
        let mut command = Command::new(self.dir.join("bin/python"));
        command
            .args([OsStr::new("-c"), OsStr::new(ASKING), ports.as_os_str()])
            .env("HOME", fleet.home());
        command
    }
}
