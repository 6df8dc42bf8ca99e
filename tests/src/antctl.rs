//! A colony under the real antctl, of a user who is not root. Everything of antctl is in the test's directory, and its
//! `systemctl` needs no systemd.

mod agreement;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::backend::run_until_running;
use crate::call::{Call, Outcome};
use crate::colony::{Colony, EAGER, ROOM};
use crate::database::NodeRow;
use crate::{binaries, nodes};

/// An account that owns nothing else on the machine. antctl makes services of the machine when root calls it.
const USER: u32 = 23_456;

/// A colony, its antctl and its real node programs.
pub struct AntctlFixture {
    /// The colony.
    pub colony: Colony,
    /// The path of antctl.
    pub antctl: PathBuf,
}

impl AntctlFixture {
    /// Puts the programs in place. `None` after saying that the test is skipped.
    pub fn up() -> Option<Self> {
        Self::below(&std::env::temp_dir())
    }

    /// The same in a new directory below `place`, which may be another file system.
    pub fn below(place: &Path) -> Option<Self> {
        let cached = nodes::real_antctl()?;
        let older = nodes::real_antnode("0.4.16")?;
        let newer = nodes::real_antnode("0.4.17")?;
        let colony = Colony::below(place, ROOM);
        let fixture = Self {
            antctl: colony.dir().join("programs/antctl"),
            colony,
        };
        fs::set_permissions(fixture.colony.dir(), fs::Permissions::from_mode(0o755)).unwrap();
        for dir in [
            "programs/0.4.16",
            "programs/0.4.17",
            "bin",
            "data",
            "config",
            "runtime",
        ] {
            fs::create_dir_all(fixture.colony.dir().join(dir)).unwrap();
        }
        put(&cached, &fixture.antctl);
        put(&older, &fixture.program("0.4.16"));
        put(&newer, &fixture.program("0.4.17"));
        put(&binaries::wnm(), &fixture.colony.dir().join("programs/wnm"));
        put(
            &binaries::stub_systemctl(),
            &fixture.colony.dir().join("bin/systemctl"),
        );
        for dir in ["", "home", "tmp", "nodes", "data", "config", "runtime"] {
            fixture.give_to_user(&fixture.colony.dir().join(dir));
        }
        Some(fixture)
    }

    /// Makes a file the user's.
    pub fn give_to_user(&self, path: &Path) {
        if nix::unistd::geteuid().is_root() {
            chown(path, Some(USER), Some(USER)).unwrap();
        }
    }

    /// The real node program of this version.
    pub fn program(&self, version: &str) -> PathBuf {
        self.colony
            .dir()
            .join("programs")
            .join(version)
            .join("antnode")
    }

    /// antctl's registry.
    pub fn registry(&self) -> PathBuf {
        self.colony
            .dir()
            .join("data/autonomi/node/node_registry.json")
    }

    /// The directory of the units that antctl writes.
    pub fn units(&self) -> PathBuf {
        self.colony.dir().join("config/systemd/user")
    }

    /// A call of `wnm` by the user.
    pub fn wnm<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Call {
        self.call(&self.colony.dir().join("programs/wnm"))
            .env("DBPATH", self.colony.database_path())
            .args(args)
    }

    /// A call of antctl by hand.
    pub fn antctl_call<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Call {
        self.call(&self.colony.dir().join("programs/antctl"))
            .args(args)
    }

    /// The call by which the user adds a node without wnm.
    pub fn manual_add(&self, id: u16) -> Call {
        let ports = &self.colony.ports;
        let port = |base: u16| (base * 1000 + id).to_string();
        self.antctl_call([
            "add",
            "--no-upnp",
            "--rewards-address",
            nodes::WALLET,
            "--path",
        ])
        .arg(self.program("0.4.16"))
        .args(["--node-port", &port(ports.node)])
        .args(["--metrics-port", &port(ports.metrics)])
        .args(["--rpc-port", &port(ports.rpc), "evm-arbitrum-one"])
    }

    fn call(&self, program: &Path) -> Call {
        let dir = self.colony.dir();
        let path = std::env::var("PATH").unwrap_or_default();
        let call = if nix::unistd::geteuid().is_root() {
            Call::new(
                Path::new("/usr/bin/setpriv"),
                &self.colony.home(),
                &self.colony.temporary(),
            )
            .args([format!("--reuid={USER}"), format!("--regid={USER}")])
            .args(["--clear-groups", "--"])
            .arg(program)
        } else {
            Call::new(program, &self.colony.home(), &self.colony.temporary())
        };
        call.env("PATH", format!("{}:{path}", dir.join("bin").display()))
            .env("XDG_DATA_HOME", dir.join("data"))
            .env("XDG_CONFIG_HOME", dir.join("config"))
            .env("XDG_RUNTIME_DIR", dir.join("runtime"))
            .env("ANT_PEERS", nodes::NOWHERE)
    }

    /// Creates the colony, of nodes of this version.
    pub fn init(&self, manager: &str, version: &str, options: &[&str]) -> Outcome {
        self.try_init(manager, version, options).succeeded()
    }

    /// Tries to create it.
    pub fn try_init(&self, manager: &str, version: &str, options: &[&str]) -> Outcome {
        self.init_with(manager, &self.program(version), options)
    }

    /// Tries to create a colony of nodes with this program.
    pub fn init_with(&self, manager: &str, program: &Path, options: &[&str]) -> Outcome {
        let ports = &self.colony.ports;
        let mut call = self
            .wnm(["--init", "--no-upnp", "--process-manager", manager])
            .args(["--rewards-address", nodes::WALLET, "--firewall", "none"])
            .args([OsStr::new("--antnode-path"), program.as_os_str()])
            .args([OsStr::new("--antctl-path"), self.antctl.as_os_str()])
            .args(["--port-start", &ports.node.to_string()])
            .args(["--metrics-port-start", &ports.metrics.to_string()])
            .args(["--rpc-port-start", &ports.rpc.to_string()]);
        if manager != "antctl+zen" {
            call = call.args([
                OsStr::new("--node-storage"),
                self.colony.storage().as_os_str(),
            ]);
        }
        call.args(EAGER).args(options).run()
    }

    /// The rows of its nodes.
    pub fn nodes(&self) -> Vec<NodeRow> {
        self.colony.database().nodes()
    }

    /// The services in the registry that were not removed.
    pub fn services(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.registry()).unwrap_or_default();
        if text.is_empty() {
            return Vec::new();
        }
        let content: Value = serde_json::from_str(&text).expect("antctl's file cannot be read");
        let nodes = content["nodes"].as_array().unwrap().iter();
        nodes
            .filter(|node| node["status"] != "Removed")
            .cloned()
            .collect()
    }

    /// The names of the services.
    pub fn names(&self) -> Vec<String> {
        let services = self.services();
        let name = |service: &Value| service["service_name"].as_str().unwrap().to_owned();
        services.iter().map(name).collect()
    }

    /// The names of the nodes' units.
    pub fn unit_names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.units()).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(".service")).collect();
        names.sort();
        names
    }

    /// Runs surveys until so many nodes are on record as running.
    pub fn settle(&self, count: usize) {
        run_until_running(&self.colony.database(), count, || {
            self.wnm(["--force-action=survey"])
        });
    }
}

/// Makes a hard link where possible, since the files are large, or a copy.
fn put(from: &Path, to: &Path) {
    if fs::hard_link(from, to).is_err() {
        fs::copy(from, to).unwrap();
    }
}
