//! A job of a node as its file describes it, whoever wrote that.

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

/// Larger than any file that a person or a program writes for a job; what is larger is something else.
const LARGEST_FILE: u64 = 256 * 1024;

/// What matters of a job.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    pub label: Label,
    program: PathBuf,
    /// With the program's own name in front.
    pub argv: Vec<OsString>,
    user: String,
}

impl Description {
    /// Reads a file. Without a word on it the job runs as `account`.
    pub fn read(file: &Path, label: Label, account: &str) -> Result<Self, String> {
        let entry = std::fs::metadata(file).map_err(|error| error.to_string())?;
        if !entry.is_file() || entry.len() > LARGEST_FILE {
            return Err("it is no file of a job".to_owned());
        }
        let content = std::fs::read(file).map_err(|error| error.to_string())?;
        Self::of(&content, label, account)
    }

    /// The same from what the file holds.
    pub fn of(content: &[u8], label: Label, account: &str) -> Result<Self, String> {
        let job = property_list::read(content)?
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

    /// The node that it runs, if it is one of `program`. Ports that it does not name are those of its number.
    pub fn node(
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
        let root_dir = root_dir.ok_or("nothing says where its data is")?;
        if ![&binary, &root_dir]
            .into_iter()
            .all(|path| layout::is_place(path))
        {
            return Err("its program or its data is at no full path");
        }
        let id = self.label.id();
        let by_number = id.and_then(|id| bases.of(id).ok());
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
            user: self.user,
            log_dir: argv::option(argv, "--log-output-dest")
                .map(PathBuf::from)
                .filter(|dir| layout::is_place(dir) && is_own(dir, id, &root_dir)),
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
