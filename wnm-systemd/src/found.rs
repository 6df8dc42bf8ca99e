//! Units of nodes that are on this machine, whoever wrote them, for adoption.

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

use crate::unit::{Specifiers, UnitFile, assignments, command};
use crate::{Systemd, looking};

/// Larger than any unit a person or a program writes; what is larger is something else.
const LARGEST_UNIT: u64 = 256 * 1024;

impl Systemd {
    /// Every node that a unit runs which a person or a program put where units are kept.
    pub(crate) async fn find(&self) -> Result<Vec<FoundNode>, ManagerError> {
        let dirs = [std::slice::from_ref(&self.unit_dir), &self.other_unit_dirs].concat();
        let owner = nix::unistd::geteuid();
        let system = self.domain == crate::domain::Domain::System;
        let units = blocking(move || {
            // What runs without User= runs as root, or as the caller.
            let runs_as = if system {
                nix::unistd::Uid::from_raw(0)
            } else {
                owner
            };
            let account = User::from_uid(runs_as).ok().flatten();
            let read = places(&dirs)?.into_iter().filter_map(|(name, dir)| {
                Description::read(&dir, &dirs, name, account.as_ref()).transpose()
            });
            read.collect::<Result<Vec<_>, _>>()
        })
        .await?;
        if units.is_empty() {
            return Ok(Vec::new());
        }
        let states = self.talk.units(&looking::patterns(&[])).await?;
        let program = self.context.program.name();
        Ok(units
            .into_iter()
            .filter_map(|unit| {
                let state = looking::state(states.get(&unit.name));
                match self.node(unit, program, state) {
                    Ok(node) => Some(node),
                    Err(LeftAlone { unit, reason }) => {
                        tracing::warn!(unit, "left alone: {reason}");
                        None
                    }
                }
            })
            .collect())
    }

    fn node(
        &self,
        unit: Description,
        program: &str,
        state: ProcessState,
    ) -> Result<FoundNode, LeftAlone> {
        let left = |reason| LeftAlone {
            unit: unit.name.clone(),
            reason,
        };
        let argv = unit
            .argv
            .as_deref()
            .ok_or_else(|| left("its ExecStart cannot be read"))?;
        let binary = argv.first().map(PathBuf::from).unwrap_or_default();
        if binary.file_name().is_none_or(|name| name != program) {
            return Err(left("it runs another program"));
        }
        let Some(root_dir) = argv::option(argv, "--root-dir").map(PathBuf::from) else {
            return Err(left("nothing says where its data is"));
        };
        if ![&binary, &root_dir]
            .into_iter()
            .all(|path| layout::is_place(path))
        {
            return Err(left("its program or its data is at no full path"));
        }
        let id = unit.name.strip_suffix(".service").and_then(layout::id_of);
        let by_number = id.and_then(|id| self.context.machine.ports.of(id).ok());
        let told = |name| argv::parsed::<u16>(argv, name).and_then(Port::new);
        let ports = match (told("--port"), by_number) {
            (Some(node), _) => NodePorts {
                node,
                metrics: told("--metrics-server-port"),
                rpc: rpc_port(argv).or_else(|| by_number.and_then(|ports| ports.rpc)),
            },
            (None, Some(ports)) => ports,
            (None, None) => return Err(left("nothing says which port it uses")),
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

struct LeftAlone {
    unit: String,
    reason: &'static str,
}

/// What matters of a unit.
struct Description {
    name: String,
    argv: Option<Vec<OsString>>,
    user: String,
}

impl Description {
    /// Reads a unit with its drop-ins. `None` for one that systemd is told to ignore.
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
            match content(&part)? {
                Some(content) => file.read(&content),
                None => return Ok(None),
            }
        }
        let manager = account.map(|user| user.name.clone()).unwrap_or_default();
        // Both letters are about the manager's account, whatever User= says.
        let specifiers = Specifiers {
            unit: name.clone(),
            user: manager.clone(),
            home: account.map(|user| user.dir.clone()),
        };
        let user = file
            .value("Service", "User")
            .and_then(|user| specifiers.expand(user));
        let environment = assignments(&file.list("Service", "Environment"), &specifiers);
        let argv = file
            .value("Service", "ExecStart")
            .and_then(|value| command(value, &specifiers, &environment));
        Ok(Some(Self {
            user: user.unwrap_or(manager),
            argv,
            name,
        }))
    }
}

/// Names of the units in `dir` that are called like a node's.
pub(crate) fn unit_names(dir: &Path) -> Result<Vec<String>, ManagerError> {
    let mut names = names(dir, ".service")?;
    names.retain(|name| name.starts_with("antnode") && !name.contains('@'));
    Ok(names)
}

/// Where each unit is: of several files of one name the first counts, as for systemd.
fn places(dirs: &[PathBuf]) -> Result<BTreeMap<String, PathBuf>, ManagerError> {
    let mut places = BTreeMap::new();
    for dir in dirs {
        for name in unit_names(dir)? {
            places.entry(name).or_insert_with(|| dir.clone());
        }
    }
    Ok(places)
}

/// The drop-ins of a unit in all directories, by name: they are read in that order, and of several of one name
/// the first counts.
fn drop_ins(dirs: &[PathBuf], unit: &str) -> Result<Vec<PathBuf>, ManagerError> {
    let mut parts = BTreeMap::new();
    for dir in dirs {
        let dir = dir.join(format!("{unit}.d"));
        for name in names(&dir, ".conf")? {
            parts.entry(name.clone()).or_insert_with(|| dir.join(name));
        }
    }
    Ok(parts.into_values().collect())
}

/// Names in a directory that end so, in order; none when it is not there.
fn names(dir: &Path, ending: &str) -> Result<Vec<String>, ManagerError> {
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
                .filter(|name| name.ends_with(ending))
                .map(str::to_owned),
        );
    }
    names.sort();
    Ok(names)
}

/// What a file holds; nothing for one that is gone, no file, or too large to be a unit.
fn content(path: &Path) -> Result<Option<Vec<u8>>, ManagerError> {
    let fits = |entry: &std::fs::Metadata| entry.is_file() && entry.len() <= LARGEST_UNIT;
    match std::fs::metadata(path) {
        Ok(entry) if fits(&entry) => {}
        _ => return Ok(None),
    }
    let read = std::fs::read(path);
    read.map(Some)
        .map_err(|source| ManagerError::io(format!("reading {}", path.display()), source))
}

/// antctl has its nodes listen for it at `--rpc 127.0.0.1:PORT`.
fn rpc_port(argv: &[OsString]) -> Option<Port> {
    let address = argv::option(argv, "--rpc")?.to_str()?;
    address
        .rsplit_once(':')?
        .1
        .parse::<u16>()
        .ok()
        .and_then(Port::new)
}
