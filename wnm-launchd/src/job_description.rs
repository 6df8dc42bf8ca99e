//! Reads a node from a job file, whoever wrote it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use plist::{Dictionary, Value};
use wnm_core::id::NodeId;
use wnm_core::manager::FoundNode;
use wnm_core::node::ProcessState;
use wnm_core::ports::{NodePorts, Port, PortBases};
use wnm_core::program::argv;
use wnm_host::layout;

use crate::label::Label;
use crate::property_list;

/// Files above this size, in bytes, are not job files.
const MAX_FILE_SIZE: u64 = 256 * 1024;

/// The parts of a job file that describe a node.
#[derive(Debug, Clone)]
pub(crate) struct JobDescription {
    pub label: Label,
    program: PathBuf,
    /// The arguments, starting with argv[0].
    pub argv: Vec<OsString>,
    user: String,
}

impl JobDescription {
    /// Reads a job file. `account` is the default for `UserName`.
    pub fn read(file: &Path, label: Label, account: &str) -> Result<Self, String> {
        let entry = std::fs::metadata(file).map_err(|error| error.to_string())?;
        if !entry.is_file() || entry.len() > MAX_FILE_SIZE {
            return Err("it is not a job file".to_owned());
        }
        let content = std::fs::read(file).map_err(|error| error.to_string())?;
        Self::parse(&content, label, account)
    }

    /// Parses the content of a job file. `account` is the default for `UserName`.
    pub fn parse(content: &[u8], label: Label, account: &str) -> Result<Self, String> {
        let job = property_list::read(content)?
            .into_dictionary()
            .ok_or("it is not a job")?;
        if text(&job, "Label") != Some(&label.to_string()) {
            return Err("its label does not match its file name".to_owned());
        }
        let words = job.get("ProgramArguments").and_then(Value::as_array);
        let words = words.map(Vec::as_slice).unwrap_or_default().iter();
        let argv: Option<Vec<OsString>> = words
            .map(|word| word.as_string().map(OsString::from))
            .collect();
        let argv = argv.ok_or("its arguments are not strings")?;
        let program = text(&job, "Program").map(PathBuf::from);
        let program = program.or_else(|| argv.first().map(PathBuf::from));
        Ok(Self {
            program: program.ok_or("it names no program")?,
            user: text(&job, "UserName").unwrap_or(account).to_owned(),
            label,
            argv,
        })
    }

    /// Returns the node that the job runs, if it runs `program`. Ports that the job does not name
    /// follow from the node id.
    pub fn into_found_node(
        self,
        program: &str,
        bases: &PortBases,
        state: ProcessState,
    ) -> Result<FoundNode, &'static str> {
        let argv = &self.argv[..];
        let binary = self.program;
        if binary.file_name().is_none_or(|name| name != program) {
            return Err("it runs another program");
        }
        let root_dir = argv::option(argv, "--root-dir").map(PathBuf::from);
        let root_dir = root_dir.ok_or("it has no --root-dir")?;
        if ![&binary, &root_dir]
            .into_iter()
            .all(|path| layout::is_place(path))
        {
            return Err("its program or data path is not absolute and normalized");
        }
        let id = self.label.id();
        let by_number = id.and_then(|id| bases.of(id).ok());
        let port_option = |name| argv::parsed::<u16>(argv, name).and_then(Port::new);
        let ports = match (port_option("--port"), by_number) {
            (Some(node), _) => NodePorts {
                node,
                metrics: port_option("--metrics-server-port"),
                rpc: rpc_port(argv).or_else(|| by_number.and_then(|ports| ports.rpc)),
            },
            (None, Some(ports)) => ports,
            (None, None) => return Err("its port is unknown"),
        };
        Ok(FoundNode {
            id,
            user: self.user,
            log_dir: argv::option(argv, "--log-output-dest")
                .map(PathBuf::from)
                .filter(|dir| layout::is_place(dir) && is_own_log_dir(dir, id, &root_dir)),
            network: argv::network(argv),
            wallet: argv::parsed(argv, "--rewards-address"),
            service: self.label.to_string(),
            binary,
            root_dir,
            ports,
            state,
        })
    }
}

fn text<'a>(job: &'a Dictionary, key: &str) -> Option<&'a str> {
    job.get(key).and_then(Value::as_string)
}

/// Whether a log directory belongs to this node alone. The nodes of the Python wnm share one log
/// directory.
fn is_own_log_dir(logs: &Path, id: Option<NodeId>, root_dir: &Path) -> bool {
    let dir_id = logs
        .file_name()
        .and_then(|name| name.to_str())
        .and_then(layout::id_of);
    id.is_none() || dir_id == id || logs.starts_with(root_dir)
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
