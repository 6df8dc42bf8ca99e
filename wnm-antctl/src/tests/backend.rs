//! A manager over a fake antctl that replies as the test says, with its own process table.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use semver::Version;
use tempfile::TempDir;
use wnm_core::command::{CommandError, CommandOutput, CommandRunner, CommandSpec};
use wnm_core::firewall::NoFirewall;
use wnm_core::id::NodeId;
use wnm_core::kind::ManagerKind;
use wnm_core::machine::{Launch, Machine};
use wnm_core::manager::ManagerContext;
use wnm_core::node::{Node, ObservedState};
use wnm_core::paths::Paths;
use wnm_core::program::NodeBinary;
use wnm_core::testing;
use wnm_programs::Antnode;

use crate::Antctl;
use crate::layout::{Layout, Ownership};
use crate::process_table::ProcessTable;

/// How a call ends.
#[derive(Debug, Clone)]
pub enum Reply {
    Prints(String),
    Fails(&'static str),
    Hangs,
}

type Answers = dyn Fn(&[String]) -> Reply + Send + Sync;

/// Replies to antctl's calls with `answers` and to all others with empty output.
pub struct FakeAntctl {
    answers: Box<Answers>,
    calls: Mutex<Vec<CommandSpec>>,
}

#[async_trait]
impl CommandRunner for FakeAntctl {
    async fn run(&self, spec: &CommandSpec) -> Result<CommandOutput, CommandError> {
        let args = std::iter::once(&spec.program).chain(&spec.args);
        let args: Vec<String> = args
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let Some(at) = args.iter().position(|word| word.ends_with("/antctl")) else {
            return Ok(output(0, "", ""));
        };
        let args = &args[at + 1..];
        if args == ["--version"] {
            return Ok(output(0, "Autonomi Node Manager v0.14.2\n", ""));
        }
        self.calls.lock().unwrap().push(spec.clone());
        let verb = args
            .iter()
            .position(|word| !word.starts_with('-'))
            .unwrap_or(0);
        match (self.answers)(&args[verb..]) {
            Reply::Prints(text) => Ok(output(0, &text, "")),
            Reply::Fails(text) => Ok(output(1, "", &format!("Error: \n   0: {text}\n"))),
            Reply::Hangs => Err(CommandError::TimedOut {
                program: "antctl".to_owned(),
                limit: Duration::from_secs(1),
            }),
        }
    }
}

fn output(code: i32, stdout: &str, stderr: &str) -> CommandOutput {
    CommandOutput {
        code: Some(code),
        stdout: stdout.into(),
        stderr: stderr.into(),
    }
}

pub struct TestBackend {
    pub manager: Antctl,
    pub fake: Arc<FakeAntctl>,
    pub dir: TempDir,
}

impl TestBackend {
    pub fn with(answers: impl Fn(&[String]) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_settings(crate::USER, |_| {}, answers)
    }

    /// A backend of this kind; `settings` changes the test defaults.
    pub fn with_settings(
        kind: ManagerKind,
        settings: impl FnOnce(&mut ManagerContext),
        answers: impl Fn(&[String]) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let fake = Arc::new(FakeAntctl {
            answers: Box::new(answers),
            calls: Mutex::default(),
        });
        let mut context = context(dir.path(), kind.clone(), fake.clone());
        settings(&mut context);
        std::fs::create_dir_all(&context.paths.node_storage).unwrap();
        std::fs::write(&context.machine.antctl_path, "").unwrap();
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&context.machine.antctl_path, executable).unwrap();
        let layout = Layout {
            // Root has no per-user antctl, and the tests may run as root.
            ownership: Ownership::System,
            registry: dir.path().join("node_registry.json"),
            unit_dir: dir.path().join("units"),
        };
        let mut manager = Antctl::at(layout, kind, context, Some("full".to_owned()));
        std::fs::create_dir(dir.path().join("proc")).unwrap();
        std::os::unix::fs::symlink("1", dir.path().join("proc/self")).unwrap();
        manager.process_table = ProcessTable::at(dir.path().join("proc"));
        Self { manager, fake, dir }
    }

    /// Adds a process for node `number` to the table, found by its program.
    pub fn add_process(&self, number: u32, pid: u32) {
        let process = self.dir.path().join("proc").join(pid.to_string());
        std::fs::create_dir_all(&process).unwrap();
        let program = data_dir(self.dir.path(), number).join("antnode");
        std::fs::write(process.join("cmdline"), "antnode\0").unwrap();
        std::os::unix::fs::symlink(program, process.join("exe")).unwrap();
    }

    /// The arguments of antctl's calls, without queries.
    pub fn calls(&self) -> Vec<String> {
        let calls = self.fake.calls.lock().unwrap();
        let lines = calls.iter().map(|spec| {
            let args = spec
                .args
                .iter()
                .map(|word| word.to_string_lossy().into_owned());
            let args: Vec<String> = args
                .skip_while(|word| !word.ends_with("/antctl"))
                .skip(1)
                .collect();
            args.join(" ")
                .replace(self.dir.path().to_str().unwrap(), "DIR")
        });
        lines
            .filter(|line| !line.contains("status --json"))
            .collect()
    }

    /// All of antctl's calls as they were made.
    pub fn specs(&self) -> Vec<CommandSpec> {
        self.fake.calls.lock().unwrap().clone()
    }

    pub fn node(&self, number: u32) -> Node {
        Node {
            root_dir: data_dir(self.dir.path(), number),
            binary: data_dir(self.dir.path(), number).join("antnode"),
            ..node(number)
        }
    }

    pub fn binary(&self) -> NodeBinary {
        NodeBinary {
            path: PathBuf::from("/opt/antnode"),
            version: Version::new(0, 4, 17),
        }
    }
}

/// Where the fake antctl keeps the data of service `number`, which belongs to node `number`.
pub fn data_dir(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("nodes/antnode000{number}/antnode{number}"))
}

/// The answer to `status --json` with services `antnodeN` in these states.
pub fn status(dir: &Path, services: &[(u32, &str)]) -> String {
    let nodes: Vec<serde_json::Value> = services
        .iter()
        .map(|&(number, status)| {
            let data = data_dir(dir, number);
            std::fs::create_dir_all(&data).unwrap();
            serde_json::json!({
                "service_name": format!("antnode{number}"),
                "status": status,
                "antnode_path": data.join("antnode"),
                "data_dir_path": data,
                "log_dir_path": data.join("logs"),
                "node_port": 55_000 + number,
            })
        })
        .collect();
    serde_json::json!({"nodes": nodes, "daemon": null}).to_string()
}

/// A record of node `number`.
pub fn node(number: u32) -> Node {
    let id = NodeId::new(number).unwrap();
    Node {
        manager: crate::USER,
        service: format!("antnode{number}"),
        ports: testing::machine().ports.of(id).unwrap(),
        ..testing::seen(number, ObservedState::Stopped)
    }
}

fn context(dir: &Path, kind: ManagerKind, runner: Arc<dyn CommandRunner>) -> ManagerContext {
    let paths = Paths {
        state: dir.to_owned(),
        node_storage: dir.join("nodes"),
        logs: dir.join("logs"),
        bootstrap_cache: dir.join("cache"),
    };
    ManagerContext {
        program: Arc::new(Antnode::new(runner.clone())),
        runner,
        firewall: Arc::new(NoFirewall),
        machine: Machine {
            node_storage: paths.node_storage.clone(),
            manager: kind,
            antctl_path: dir.join("antctl"),
            ..testing::machine()
        },
        paths,
        launch: Launch {
            no_upnp: true,
            ..Launch::default()
        },
        owner: "ant".to_owned(),
    }
}

/// Whether a call sets the variable to `full`.
pub fn variable(spec: &CommandSpec, name: &str) -> bool {
    let pair: OsString = format!("{name}=full").into();
    spec.args.contains(&pair) || spec.env.contains(&(name.into(), "full".into()))
}
