//! The Python wnm, the real package in a virtual environment, in a booted machine with systemd: under its other
//! managers its released versions start no node.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::call::Call;
use crate::colony::EAGER;
use crate::systemd::{As, Machine};
use crate::{nodes, real};

/// One released version of it.
pub struct Python {
    dir: PathBuf,
    /// The version.
    pub version: &'static str,
}

impl Python {
    /// This version. `None` after saying that the test is skipped.
    pub fn version(version: &'static str) -> Option<Self> {
        let complete = real::PYTHON.file(Path::new(version).join(".complete"))?;
        let dir = complete.parent()?.to_owned();
        Some(Self { dir, version })
    }

    /// A call of it on the database of a colony of the machine.
    pub fn wnm<S: AsRef<OsStr>>(
        &self,
        machine: &Machine,
        args: impl IntoIterator<Item = S>,
    ) -> Call {
        let mut chdir = OsString::from("--chdir=");
        chdir.push(self.working_directory(machine));
        let words = [chdir, self.dir.join("bin/wnm").into_os_string()];
        machine
            .system
            .call(As::Root, Path::new("/usr/bin/env"), words)
            // It asks PATH for the node program, whatever its options say.
            .env("PATH", path_with(&machine.programs.path().join("0.4.16")))
            .env("WNM_FIREWALL_DISABLED", "1")
            .env("DBPATH", machine.database())
            .args(args)
    }

    /// Creates a colony of units of the machine.
    pub fn init(&self, machine: &Machine, program: &Path) {
        let peers = format!("ANT_PEERS={}", nodes::NOWHERE);
        let _ = self
            .wnm(
                machine,
                [
                    "--init",
                    "--no_upnp",
                    "--process_manager",
                    "systemd+sudo",
                    "--node_cap",
                    "3",
                ],
            )
            .args(["--rewards_address", nodes::WALLET, "--environment", &peers])
            .args([OsStr::new("--antnode_path"), program.as_os_str()])
            .args(EAGER.map(|word| format!("--{}", word[2..].replace('-', "_"))))
            .run()
            .succeeded();
    }

    /// It reads its migrations from the working directory, and the package does not contain them.
    fn working_directory(&self, machine: &Machine) -> PathBuf {
        let dir = machine
            .programs
            .path()
            .join(format!("python-{}", self.version));
        if !dir.is_dir() {
            std::fs::create_dir(&dir).expect("no working directory");
            for part in ["alembic.ini", "alembic"] {
                let status = Command::new("cp")
                    .arg("-r")
                    .args([self.dir.join("source").join(part), dir.join(part)])
                    .status();
                assert!(
                    status.is_ok_and(|status| status.success()),
                    "{part} cannot be copied"
                );
            }
        }
        dir
    }
}

fn path_with(dir: &Path) -> OsString {
    let mut path = OsString::from(dir);
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    path
}
