//! A private node storage for tests. The node program is a copy of the machine's shell; a script defines how
//! the node behaves.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use semver::Version;
use tempfile::TempDir;
use wnm_core::firewall::NoFirewall;
use wnm_core::id::NodeId;
use wnm_core::kind::ManagerKind;
use wnm_core::machine::FirewallChoice;
use wnm_core::machine::{Launch, Machine};
use wnm_core::manager::{ManagerContext, ManagerError, ProcessManager};
use wnm_core::node::ProcessState;
use wnm_core::node::{Node, ObservedState};
use wnm_core::paths::Paths;
use wnm_core::program::{NodeBinary, NodeProgram, ProgramError};
use wnm_core::testing;
use wnm_host::command::SystemRunner;
use wnm_testkit::SingleNode;

use crate::Setsid;
use crate::matching::Program;
use crate::process_ref::ProcessRef;
use crate::table::Table;

/// Nothing in these tests takes this long unless it has failed.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// A node with a child that runs until it is stopped.
pub const RUNS_FOREVER: &str = "echo up; sleep 600 & wait";

/// A node program for tests: the shell with a script.
pub struct Script(pub String);

#[async_trait]
impl NodeProgram for Script {
    fn name(&self) -> &str {
        "antnode"
    }

    fn network(&self) -> &str {
        "evm-test"
    }

    fn arguments(&self, node: &Node, _: &Launch, _: &Paths) -> Result<Vec<OsString>, ProgramError> {
        let args = ["-c", &self.0, "antnode", "--root-dir"].map(OsString::from);
        let mut args = Vec::from(args);
        args.push(node.root_dir.clone().into());
        args.extend(["--port".into(), node.ports.node.to_string().into()]);
        Ok(args)
    }

    fn environment(
        &self,
        node: &Node,
        _: &Launch,
    ) -> Result<Vec<(OsString, OsString)>, ProgramError> {
        Ok(vec![("NODE_NUMBER".into(), node.id.to_string().into())])
    }

    async fn version(&self, _: &Path) -> Result<Version, ProgramError> {
        Ok(Version::new(0, 1, 0))
    }

    fn identity_file(&self, root_dir: &Path) -> PathBuf {
        root_dir.join("secret-key")
    }
}

/// A node storage and its manager. Dropping it kills whatever still runs from the storage.
pub struct TestBackend {
    pub manager: Setsid,
    pub context: ManagerContext,
    pub dir: PathBuf,
    _owned: Option<TempDir>,
}

impl TestBackend {
    /// A backend for the caller's account.
    pub fn new(script: &str) -> Self {
        Self::with_kind(crate::USER, script)
    }

    /// A backend of this kind. In sudo mode its nodes run as `nobody`.
    pub fn with_kind(kind: ManagerKind, script: &str) -> Self {
        let owned = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir()
            .unwrap();
        let mut backend = Self::at(owned.path(), kind, Arc::new(Script(script.to_owned())));
        backend._owned = Some(owned);
        backend
    }

    /// A backend over an existing directory, which it does not delete.
    pub fn at(dir: &Path, kind: ManagerKind, program: Arc<dyn NodeProgram>) -> Self {
        let dir = dir.canonicalize().unwrap();
        let context = context(&dir, kind.clone(), program);
        Self {
            manager: Setsid::new(kind, context.clone()).with_grace(TIMEOUT),
            context,
            dir,
            _owned: None,
        }
    }

    /// Keeps the storage and replaces the script.
    pub fn set_script(&mut self, script: &str) {
        self.context.program = Arc::new(Script(script.to_owned()));
        let kind = self.manager.kind.clone();
        self.manager = Setsid::new(kind, self.context.clone()).with_grace(TIMEOUT);
    }

    /// The record of node `number` as the executor makes it before it adds the node.
    pub fn node(&self, number: u32) -> Node {
        let id = NodeId::new(number).unwrap();
        let paths = &self.context.paths;
        let root_dir = paths.node_dir(id);
        Node {
            manager: self.manager.kind.clone(),
            service: id.directory_name(),
            user: "nobody".to_owned(),
            binary: root_dir.join("antnode"),
            log_dir: Some(paths.log_dir(id)),
            root_dir,
            ports: self.context.machine.ports.of(id).unwrap(),
            ..testing::seen(number, ObservedState::Stopped)
        }
    }

    /// The program to copy to nodes.
    pub fn binary(&self) -> NodeBinary {
        NodeBinary {
            path: PathBuf::from("/bin/sh"),
            version: Version::new(0, 1, 0),
        }
    }

    /// Adds and starts node `number`.
    pub async fn running(&self, number: u32) -> Node {
        let node = self.node(number);
        self.manager.add_one(&node, &self.binary()).await.unwrap();
        self.manager.start_one(&node).await.unwrap();
        node
    }

    pub async fn state(&self, node: &Node) -> ProcessState {
        let states = self.manager.statuses(std::slice::from_ref(node)).await;
        states.unwrap().remove(&node.id).unwrap()
    }

    /// Pid of the running node.
    pub async fn pid(&self, node: &Node) -> i32 {
        match self.state(node).await {
            ProcessState::Running { pid: Some(pid) } => i32::try_from(pid).unwrap(),
            other => panic!("{} is {other:?}", node.service),
        }
    }

    /// What the node has written so far.
    pub fn output(&self, node: &Node) -> String {
        let file = node.log_dir.as_ref().unwrap().join("antnode.out");
        std::fs::read_to_string(file).unwrap_or_default()
    }

    /// Waits until the node has written `word`.
    pub async fn wait_for_output(&self, node: &Node, word: &str) {
        wait_until(word, || self.output(node).contains(word)).await;
    }

    /// The same manager with a process table that cannot be read.
    #[cfg(target_os = "linux")]
    pub fn with_unreadable_table(&self) -> Setsid {
        let mut manager = Setsid::new(self.manager.kind.clone(), self.context.clone());
        manager.table = Table::at(self.dir.join("no-table"));
        manager
    }
}

impl Drop for TestBackend {
    fn drop(&mut self) {
        let ours =
            |program: &Program| matches!(program, Program::At(path) if path.starts_with(&self.dir));
        let Ok(processes) = Table::system().processes(&ours) else {
            return;
        };
        let own = Table::system()
            .process(i32::try_from(std::process::id()).unwrap())
            .unwrap();
        for process in processes {
            let session = process.id.session;
            let all = Table::system().all().unwrap_or_default();
            let same_session =
                |process: &&ProcessRef| process.session == session && session != own.id.session;
            for process in all.iter().filter(same_session) {
                let _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
            }
            let _ = kill(Pid::from_raw(process.id.pid), Signal::SIGKILL);
        }
    }
}

fn context(dir: &Path, kind: ManagerKind, program: Arc<dyn NodeProgram>) -> ManagerContext {
    let state = dir.join("state");
    let paths = Paths {
        node_storage: state.join("nodes"),
        logs: state.join("logs"),
        bootstrap_cache: state.join("cache"),
        state,
    };
    ManagerContext {
        program,
        runner: Arc::new(SystemRunner),
        firewall: Arc::new(NoFirewall),
        machine: Machine {
            node_storage: paths.node_storage.clone(),
            manager: kind,
            antnode_path: PathBuf::from("/bin/sh"),
            firewall: FirewallChoice::None,
            ..testing::machine()
        },
        paths,
        launch: Launch::default(),
        owner: "nobody".to_owned(),
    }
}

/// Polls for a condition for which the system reports no event.
pub async fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < TIMEOUT, "timed out: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether a process with this pid runs.
pub fn is_running(pid: i32) -> bool {
    Table::system().start_time(pid).is_some()
}

/// The pid after `word` in a node's output.
pub fn pid_after(output: &str, word: &str) -> i32 {
    let line = output.lines().find_map(|line| line.strip_prefix(word));
    line.unwrap_or_else(|| panic!("no '{word}' in: {output}"))
        .trim()
        .parse()
        .unwrap()
}

/// The text of a rejection.
pub fn rejection_text(result: Result<(), ManagerError>) -> String {
    match result {
        Err(ManagerError::Rejected { what, words }) => format!("{what}: {words}"),
        other => panic!("not refused: {other:?}"),
    }
}

/// Whether the tests run as root, who may act for other accounts. Prints a note if not.
pub fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        eprintln!("skipped: needs root");
    }
    root
}
