//! A manager with private directories and a fake launchd.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use semver::Version;
use tempfile::TempDir;
use wnm_core::command::{CommandError, CommandOutput, CommandRunner, CommandSpec};
use wnm_core::firewall::NoFirewall;
use wnm_core::id::NodeId;
use wnm_core::kind::ManagerKind;
use wnm_core::machine::FirewallChoice;
use wnm_core::machine::{Launch, Machine};
use wnm_core::manager::{ManagerContext, ProcessManager};
use wnm_core::node::ProcessState;
use wnm_core::node::{Node, ObservedState};
use wnm_core::paths::Paths;
use wnm_core::program::NodeBinary;
use wnm_core::testing;
use wnm_host::command::SystemRunner;
use wnm_programs::Antnode;
use wnm_testkit::SingleNode;
use wnm_tests::launchd::{self, Behaviour};

use crate::Launchd;
use crate::domain::Scope;

/// Replaces launchctl with the fake one, and runs all other commands unchanged.
struct WithFakeLaunchctl {
    launchctl: PathBuf,
    env: (&'static str, PathBuf),
}

#[async_trait]
impl CommandRunner for WithFakeLaunchctl {
    async fn run(&self, spec: &CommandSpec) -> Result<CommandOutput, CommandError> {
        let mut spec = spec.clone();
        if spec.program == "launchctl" {
            spec.program = self.launchctl.clone().into_os_string();
            let (name, value) = &self.env;
            spec.env.push((name.into(), value.into()));
        }
        SystemRunner.run(&spec).await
    }
}

pub struct TestBackend {
    pub manager: Arc<Launchd>,
    pub launchd: launchd::Launchd,
    pub context: ManagerContext,
    pub dir: TempDir,
}

impl TestBackend {
    pub fn new() -> Self {
        Self::behaving(Behaviour::default())
    }

    /// Creates a backend whose launchd behaves like this.
    pub fn behaving(behaviour: Behaviour) -> Self {
        Self::with(crate::USER, behaviour)
    }

    pub fn with(kind: ManagerKind, behaviour: Behaviour) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let launchd = launchd::Launchd::behaving(dir.path(), behaviour);
        let (launchctl, [env]) = launchd.launchctl();
        let context = context(
            dir.path(),
            kind.clone(),
            Arc::new(WithFakeLaunchctl { launchctl, env }),
        );
        let scope = match kind.mode() {
            wnm_core::kind::Mode::Sudo => Scope::Machine,
            _ => Scope::for_mode(kind.mode()),
        };
        let jobs = dir.path().join("jobs");
        let manager = Launchd::with_scope(kind, context.clone(), scope, jobs);
        Self {
            manager: Arc::new(manager),
            launchd,
            context,
            dir,
        }
    }

    pub fn job_file(&self, label: &str) -> PathBuf {
        self.dir.path().join(format!("jobs/{label}.plist"))
    }

    /// Writes a job file as another program would.
    pub fn write_job(&self, label: &str, content: impl AsRef<[u8]>) {
        let path = self.job_file(label);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    }

    /// Returns the text of a node's job file.
    pub fn text(&self, node: &Node) -> String {
        std::fs::read_to_string(self.job_file(&node.service)).unwrap()
    }

    /// Returns a program that runs until it is stopped. `words` makes its text unique.
    pub fn binary(&self, words: &str) -> NodeBinary {
        self.script(words, "exec sleep 1000000")
    }

    /// Returns a program that prints an error and exits with 3.
    pub fn broken_program(&self) -> NodeBinary {
        self.script("broken", "echo no such key >&2; exit 3")
    }

    fn script(&self, words: &str, does: &str) -> NodeBinary {
        let path = self.dir.path().join(format!("program-{words}"));
        std::fs::write(&path, format!("#!/bin/sh\n# {words}\n{does}\n")).unwrap();
        NodeBinary {
            path,
            version: Version::new(0, 4, 17),
        }
    }

    /// Whether a node runs the program with these words.
    pub fn runs_program(&self, node: &Node, words: &str) -> bool {
        let text = std::fs::read_to_string(&node.binary).unwrap();
        text.contains(&format!("# {words}\n"))
    }

    pub async fn add_node(&self, number: u32) -> Node {
        let node = self.node(number);
        let binary = self.binary("first");
        self.manager.add_one(&node, &binary).await.unwrap();
        node
    }

    pub async fn start_node(&self, number: u32) -> Node {
        let node = self.add_node(number).await;
        self.manager.start_one(&node).await.unwrap();
        node
    }

    pub async fn state(&self, node: &Node) -> ProcessState {
        let states = self.manager.statuses(std::slice::from_ref(node)).await;
        states.unwrap().remove(&node.id).unwrap()
    }

    /// Returns the process id of a running node.
    pub async fn pid(&self, node: &Node) -> u32 {
        match self.state(node).await {
            ProcessState::Running { pid: Some(pid) } => pid,
            other => panic!("no process: {other:?}"),
        }
    }

    /// How often launchctl was called with arguments that start like this.
    pub fn times(&self, words: &str) -> usize {
        let calls = self.launchd.asked();
        calls.iter().filter(|call| call.starts_with(words)).count()
    }

    /// Returns the record of a node as the executor creates it before it adds the node.
    pub fn node(&self, number: u32) -> Node {
        let id = NodeId::new(number).unwrap();
        let paths = &self.context.paths;
        let root_dir = paths.node_dir(id);
        Node {
            manager: self.context.machine.manager.clone(),
            service: format!("com.autonomi.antnode-{number}"),
            user: "nobody".to_owned(),
            binary: root_dir.join("antnode"),
            log_dir: Some(paths.log_dir(id)),
            root_dir,
            ports: self.context.machine.ports.of(id).unwrap(),
            ..testing::seen(number, ObservedState::Stopped)
        }
    }
}

/// Returns a context with all its paths below `dir`.
fn context(dir: &Path, kind: ManagerKind, runner: Arc<dyn CommandRunner>) -> ManagerContext {
    let state = dir.join("state");
    let paths = Paths {
        node_storage: state.join("nodes"),
        logs: state.join("logs"),
        bootstrap_cache: state.join("cache"),
        state,
    };
    ManagerContext {
        program: Arc::new(Antnode::new(runner.clone())),
        runner,
        firewall: Arc::new(NoFirewall),
        machine: Machine {
            node_storage: paths.node_storage.clone(),
            manager: kind,
            firewall: FirewallChoice::None,
            ..testing::machine()
        },
        paths,
        launch: Launch::default(),
        owner: "nobody".to_owned(),
    }
}
