//! Discovers existing node units, whoever wrote them, for adoption.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nix::unistd::User;
use wnm_core::manager::{FoundNode, ManagerError};
use wnm_core::node::ProcessState;
use wnm_core::ports::{NodePorts, Port};
use wnm_core::program::argv;
use wnm_host::blocking;
use wnm_host::layout;

use crate::unit::{Specifiers, UnitFile, parse_command, parse_environment};
use crate::{Systemd, status};

/// Files above this size, in bytes, are not unit files.
const LARGEST_UNIT: u64 = 256 * 1024;

impl Systemd {
    /// Finds every node whose unit is in one of the unit directories.
    pub(crate) async fn discover_nodes(&self) -> Result<Vec<FoundNode>, ManagerError> {
        let dirs = [std::slice::from_ref(&self.unit_dir), &self.other_unit_dirs].concat();
        let owner = nix::unistd::geteuid();
        let system = self.domain == crate::domain::Domain::System;
        let units = blocking(move || {
            // Without User=, the system manager runs units as root and a user manager as its owner.
            let runs_as = if system {
                nix::unistd::Uid::from_raw(0)
            } else {
                owner
            };
            let account = User::from_uid(runs_as).ok().flatten();
            let read = locate_units(&dirs)?.into_iter().filter_map(|(name, dir)| {
                NodeUnit::read(&dir, &dirs, name, account.as_ref()).transpose()
            });
            read.collect::<Result<Vec<_>, _>>()
        })
        .await?;
        if units.is_empty() {
            return Ok(Vec::new());
        }
        let states = self.client.units(&status::patterns(&[])).await?;
        let program = self.context.program.name();
        Ok(units
            .into_iter()
            .filter_map(|unit| {
                let state = status::state(states.get(&unit.name));
                match self.found_node(unit, program, state) {
                    Ok(node) => Some(node),
                    Err(Skipped { unit, reason }) => {
                        tracing::warn!(unit, "left alone: {reason}");
                        None
                    }
                }
            })
            .collect())
    }

    fn found_node(
        &self,
        unit: NodeUnit,
        program: &str,
        state: ProcessState,
    ) -> Result<FoundNode, Skipped> {
        let skip = |reason| Skipped {
            unit: unit.name.clone(),
            reason,
        };
        let argv = unit
            .argv
            .as_deref()
            .ok_or_else(|| skip("its ExecStart cannot be parsed"))?;
        let binary = argv.first().map(PathBuf::from).unwrap_or_default();
        if binary.file_name().is_none_or(|name| name != program) {
            return Err(skip("it runs another program"));
        }
        let Some(root_dir) = argv::option(argv, "--root-dir").map(PathBuf::from) else {
            return Err(skip("it has no --root-dir"));
        };
        if ![&binary, &root_dir]
            .into_iter()
            .all(|path| layout::is_place(path))
        {
            return Err(skip(
                "its program or data path is not absolute and normalized",
            ));
        }
        let id = unit.name.strip_suffix(".service").and_then(layout::id_of);
        let by_number = id.and_then(|id| self.context.machine.ports.of(id).ok());
        let port_option = |name| argv::parsed::<u16>(argv, name).and_then(Port::new);
        let ports = match (port_option("--port"), by_number) {
            (Some(node), _) => NodePorts {
                node,
                metrics: port_option("--metrics-server-port"),
                rpc: rpc_port(argv).or_else(|| by_number.and_then(|ports| ports.rpc)),
            },
            (None, Some(ports)) => ports,
            (None, None) => return Err(skip("its port is unknown")),
        };
        Ok(FoundNode {
            id,
            user: unit.user,
            log_dir: argv::option(argv, "--log-output-dest")
                .map(PathBuf::from)
                .filter(|dir| layout::is_place(dir)),
            network: argv::network(argv),
            wallet: argv::parsed(argv, "--rewards-address"),
            service: unit.name,
            binary,
            root_dir,
            ports,
            state,
        })
    }
}

struct Skipped {
    unit: String,
    reason: &'static str,
}

/// The parts of a unit that describe a node.
struct NodeUnit {
    name: String,
    argv: Option<Vec<OsString>>,
    user: String,
}

impl NodeUnit {
    /// Reads a unit with its drop-ins. Returns `None` if it is masked or not a plain file.
    fn read(
        dir: &Path,
        all: &[PathBuf],
        name: String,
        account: Option<&User>,
    ) -> Result<Option<Self>, ManagerError> {
        let mut file = UnitFile::default();
        let path = dir.join(&name);
        if std::fs::read_link(&path).is_ok_and(|to| to == Path::new("/dev/null")) {
            return Ok(None);
        }
        for part in [vec![path], drop_ins(all, &name)?].concat() {
            match read_unit(&part)? {
                Some(content) => file.append(&content),
                None => return Ok(None),
            }
        }
        let manager = account.map(|user| user.name.clone()).unwrap_or_default();
        // %u and %h refer to the manager's account, not to User=.
        let specifiers = Specifiers {
            unit: name.clone(),
            user: manager.clone(),
            home: account.map(|user| user.dir.clone()),
        };
        let user = file
            .value("Service", "User")
            .and_then(|user| specifiers.expand(user));
        let environment = parse_environment(&file.list("Service", "Environment"), &specifiers);
        let argv = file
            .value("Service", "ExecStart")
            .and_then(|value| parse_command(value, &specifiers, &environment));
        Ok(Some(Self {
            user: user.unwrap_or(manager),
            argv,
            name,
        }))
    }
}

/// Returns the names of the units in `dir` that have a node's name.
pub(crate) fn node_unit_names(dir: &Path) -> Result<Vec<String>, ManagerError> {
    let mut names = file_names(dir, ".service")?;
    names.retain(|name| name.starts_with("antnode") && !name.contains('@'));
    Ok(names)
}

/// Maps each unit to its directory. If several directories have it, the first wins, as in systemd.
fn locate_units(dirs: &[PathBuf]) -> Result<BTreeMap<String, PathBuf>, ManagerError> {
    let mut locate_units = BTreeMap::new();
    for dir in dirs {
        for name in node_unit_names(dir)? {
            locate_units.entry(name).or_insert_with(|| dir.clone());
        }
    }
    Ok(locate_units)
}

/// Returns the drop-ins of a unit from all directories, sorted by name as systemd reads them. If
/// several directories have the same name, the first wins.
fn drop_ins(dirs: &[PathBuf], unit: &str) -> Result<Vec<PathBuf>, ManagerError> {
    let mut parts = BTreeMap::new();
    for dir in dirs {
        let dir = dir.join(format!("{unit}.d"));
        for name in file_names(&dir, ".conf")? {
            parts.entry(name.clone()).or_insert_with(|| dir.join(name));
        }
    }
    Ok(parts.into_values().collect())
}

/// Returns the sorted names in a directory with this suffix, or none if the directory does not
/// exist.
fn file_names(dir: &Path, suffix: &str) -> Result<Vec<String>, ManagerError> {
    let unreadable = |source| ManagerError::io(format!("reading {}", dir.display()), source);
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(unreadable)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(unreadable)?.file_name();
        names.extend(
            name.to_str()
                .filter(|name| name.ends_with(suffix))
                .map(str::to_owned),
        );
    }
    names.sort();
    Ok(names)
}

/// Reads a unit file. Returns `None` if it is missing, not a plain file or too large.
fn read_unit(path: &Path) -> Result<Option<Vec<u8>>, ManagerError> {
    let fits = |entry: &std::fs::Metadata| entry.is_file() && entry.len() <= LARGEST_UNIT;
    match std::fs::metadata(path) {
        Ok(entry) if fits(&entry) => {}
        _ => return Ok(None),
    }
    let read = std::fs::read(path);
    read.map(Some)
        .map_err(|source| ManagerError::io(format!("reading {}", path.display()), source))
}

/// Reads the port from `--rpc 127.0.0.1:PORT`, which antctl passes to its nodes.
fn rpc_port(argv: &[OsString]) -> Option<Port> {
    let address = argv::option(argv, "--rpc")?.to_str()?;
    address
        .rsplit_once(':')?
        .1
        .parse::<u16>()
        .ok()
        .and_then(Port::new)
}
