//! The Python wnm, where it is installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use wnm_tests::fleet::Fleet;

use crate::copy_database;

const VERSION: &str = "0.6.3";

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

    /// A call on a copy of the fleet's database as it is now, so that neither sees what the other writes.
    pub fn wnm(&self, fleet: &Fleet, args: &[&str]) -> Command {
        let database = fleet.dir().join("python.db");
        copy_database(&fleet.database(), &database);
        let mut path = fleet.home().join(".local/bin").into_os_string();
        path.push(":/usr/sbin:/usr/bin:/sbin:/bin");
        let mut command = Command::new(self.dir.join("bin/wnm"));
        command
            .args(args)
            // It asks PATH for the node program, whatever it was told.
            .env("PATH", path)
            .env("HOME", fleet.home())
            .env("DBPATH", format!("sqlite:///{}", database.display()))
            // It looks for its migrations where it is called.
            .current_dir(self.dir.join("source"));
        command
    }
}
