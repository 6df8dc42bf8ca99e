//! Jobs of nodes that are on this machine, whoever wrote them, for adoption.

use std::ffi::OsString;
use std::io::{Cursor, ErrorKind};
use std::path::{Path, PathBuf};

use plist::{Dictionary, Value};
use wnm_core::manager::{Account, FoundNode, ManagerError, ProcessState, blocking, layout};
use wnm_core::node::NodeId;
use wnm_core::ports::{NodePorts, Port};
use wnm_core::program::argv;

use crate::Launchd;
use crate::domain::Reach;
use crate::label::Label;

/// Larger than any file that a person or a program writes for a job; what is larger is something else.
const LARGEST_FILE: u64 = 256 * 1024;

impl Launchd {
    /// Every node that a file in the directory of jobs runs.
    pub(crate) async fn find(&self) -> Result<Vec<FoundNode>, ManagerError> {
        let dir = self.job_dir.clone();
        // What runs without UserName runs as root, or as the caller.
        let runs_as = match self.reach {
            Reach::Machine => 0,
            Reach::Caller(uid) => uid,
        };
        let descriptions = blocking(move || {
            let account = Account::name_of(runs_as);
            let labels = labels_in(&dir)?;
            let read = |label: Label| {
                let file = dir.join(label.file_name());
                let read = Description::read(&file, label, &account);
                read.inspect_err(|reason| {
                    tracing::warn!(file = %file.display(), "left alone: {reason}");
                })
                .ok()
            };
            Ok(labels.into_iter().filter_map(read).collect::<Vec<_>>())
        })
        .await?;
        if descriptions.is_empty() {
            return Ok(Vec::new());
        }
        let labels: Vec<Label> = descriptions.iter().map(|job| job.label.clone()).collect();
        let jobs = self.holding(&labels).await?;
        let node = |job: Description| {
            let state = self.state(&job.label, &jobs);
            let label = job.label.clone();
            self.node(job, state)
                .inspect_err(|reason| tracing::warn!(%label, "left alone: {reason}"))
                .ok()
        };
        Ok(descriptions.into_iter().filter_map(node).collect())
    }

    fn node(&self, job: Description, state: ProcessState) -> Result<FoundNode, &'static str> {
        let argv = &job.argv[..];
        let binary = job.program;
        if binary
            .file_name()
            .is_none_or(|name| name != self.context.program.name())
        {
            return Err("it runs another program");
        }
        let root_dir = argv::option(argv, "--root-dir").map(PathBuf::from);
        let root_dir = root_dir.ok_or("nothing says where its data is")?;
        let id = job.label.id();
        let by_number = id.and_then(|id| self.context.machine.ports.of(id).ok());
        let told = |name| argv::parsed::<u16>(argv, name).and_then(Port::new);
        let ports = match (told("--port"), by_number) {
            (Some(node), _) => NodePorts {
                node,
                metrics: told("--metrics-server-port"),
                rpc: rpc_port(argv).or_else(|| by_number.and_then(|ports| ports.rpc)),
            },
            (None, Some(ports)) => ports,
            (None, None) => return Err("nothing says which port it uses"),
        };
        Ok(FoundNode {
            id,
            user: job.user,
            log_dir: argv::option(argv, "--log-output-dest")
                .map(PathBuf::from)
                .filter(|dir| is_own(dir, id, &root_dir)),
            network: argv::network(argv),
            wallet: argv::parsed(argv, "--rewards-address"),
            service: job.label.to_string(),
            binary,
            root_dir,
            ports,
            state,
        })
    }
}

/// What matters of a job.
#[derive(Debug)]
struct Description {
    label: Label,
    program: PathBuf,
    /// With the program's own name in front.
    argv: Vec<OsString>,
    user: String,
}

impl Description {
    /// Reads a file, in any form of a property list.
    fn read(file: &Path, label: Label, account: &str) -> Result<Self, String> {
        let entry = std::fs::metadata(file).map_err(|error| error.to_string())?;
        if !entry.is_file() || entry.len() > LARGEST_FILE {
            return Err("it is no file of a job".to_owned());
        }
        let content = std::fs::read(file).map_err(|error| error.to_string())?;
        let job = Value::from_reader(Cursor::new(content))
            .map_err(|error| format!("it is damaged: {error}"))?
            .into_dictionary()
            .ok_or("it describes no job")?;
        if text(&job, "Label") != Some(&label.to_string()) {
            return Err("its label is not that of its name".to_owned());
        }
        let words = job.get("ProgramArguments").and_then(Value::as_array);
        let words = words.map(Vec::as_slice).unwrap_or_default().iter();
        let argv: Option<Vec<OsString>> = words
            .map(|word| word.as_string().map(OsString::from))
            .collect();
        let argv = argv.ok_or("its arguments are no text")?;
        let program = text(&job, "Program").map(PathBuf::from);
        let program = program.or_else(|| argv.first().map(PathBuf::from));
        Ok(Self {
            program: program.ok_or("it names no program")?,
            user: text(&job, "UserName").unwrap_or(account).to_owned(),
            label,
            argv,
        })
    }
}

fn text<'a>(job: &'a Dictionary, key: &str) -> Option<&'a str> {
    job.get(key).and_then(Value::as_string)
}

/// The labels of nodes by the names of the files in `dir`, in order; none when it is not there.
fn labels_in(dir: &Path) -> Result<Vec<Label>, ManagerError> {
    let unreadable = |source| ManagerError::io(format!("reading {}", dir.display()), source);
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(unreadable)?,
    };
    let mut labels = Vec::new();
    for entry in entries {
        let name = entry.map_err(unreadable)?.file_name();
        let label = name.to_str().and_then(|name| name.strip_suffix(".plist"));
        labels.extend(label.and_then(Label::read).filter(Label::is_of_a_node));
    }
    labels.sort();
    Ok(labels)
}

/// Whether logs are a node's own. The Python wnm has all of its nodes log into one directory, which must not be
/// taken for that of each.
fn is_own(logs: &Path, id: Option<NodeId>, root_dir: &Path) -> bool {
    let named = logs
        .file_name()
        .and_then(|name| name.to_str())
        .and_then(layout::id_of);
    id.is_none() || named == id || logs.starts_with(root_dir)
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
