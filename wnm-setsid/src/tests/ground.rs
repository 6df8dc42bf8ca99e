//! A private storage with nodes in it. The node program is a copy of the machine's shell, and a script says
//! what kind of a node it plays.

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
use wnm_core::node::NodeReport;
use wnm_core::node::ProcessState;
use wnm_core::node::{Node, ObservedState};
use wnm_core::paths::Paths;
use wnm_core::program::{NodeBinary, NodeProgram, ProgramError};
use wnm_core::testing;
use wnm_host::command::SystemRunner;

use crate::Setsid;
use crate::process::{Kin, Program};
use crate::table::Table;

/// Nothing here takes this long; what does has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A node that runs until it is ended, with a child.
pub const STAYS: &str = "echo up; sleep 600 & wait";

/// Plays the node program: the shell, given a script.
pub struct Script(pub String);

#[async_trait]
impl NodeProgram for Script {
    fn name(&self) -> &'static str {
        "antnode"
    }

    fn network(&self) -> &'static str {
        "evm-test"
    }

    fn arguments(&self, node: &Node, _: &Launch, _: &Paths) -> Result<Vec<OsString>, ProgramError> {
        let words = ["-c", &self.0, "antnode", "--root-dir"].map(OsString::from);
        let mut words = Vec::from(words);
        words.push(node.root_dir.clone().into());
        words.extend(["--port".into(), node.ports.node.to_string().into()]);
        Ok(words)
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

    fn metadata_path(&self) -> &'static str {
        "/metadata"
    }

    fn metrics_path(&self) -> &'static str {
        "/metrics"
    }

    fn read_report(&self, _: &[u8], _: &[u8]) -> Option<NodeReport> {
        None
    }
}

/// The storage and its manager. Dropped, it ends whatever still runs out of it.
pub struct Ground {
    pub manager: Setsid,
    pub context: ManagerContext,
    pub dir: PathBuf,
    _owned: Option<TempDir>,
}

impl Ground {
    /// A new one for the caller's account.
    pub fn new(script: &str) -> Self {
        Self::of_kind(ManagerKind::SETSID_USER, script)
    }

    /// A new one of a kind whose nodes run as nobody in sudo mode.
    pub fn of_kind(kind: ManagerKind, script: &str) -> Self {
        let owned = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir()
            .unwrap();
        let mut ground = Self::at(owned.path(), kind, Arc::new(Script(script.to_owned())));
        ground._owned = Some(owned);
        ground
    }

    /// One over a directory that stays.
    pub fn at(dir: &Path, kind: ManagerKind, program: Arc<dyn NodeProgram>) -> Self {
        let dir = dir.canonicalize().unwrap();
        let context = context(&dir, kind, program);
        Self {
            manager: Setsid::new(kind, context.clone()).with_grace(PATIENCE),
            context,
            dir,
            _owned: None,
        }
    }

    /// The same storage with another script.
    pub fn play(&mut self, script: &str) {
        self.context.program = Arc::new(Script(script.to_owned()));
        let kind = self.manager.kind;
        self.manager = Setsid::new(kind, self.context.clone()).with_grace(PATIENCE);
    }

    /// The record of node `number` as the executor makes it before it adds the node.
    pub fn node(&self, number: u32) -> Node {
        let id = NodeId::new(number).unwrap();
        let paths = &self.context.paths;
        let root_dir = paths.node_dir(id);
        Node {
            manager: self.manager.kind,
            service: id.directory_name(),
            user: "nobody".to_owned(),
            binary: root_dir.join("antnode"),
            log_dir: Some(paths.log_dir(id)),
            root_dir,
            ports: self.context.machine.ports.of(id).unwrap(),
            ..testing::seen(number, ObservedState::Stopped)
        }
    }

    /// The program that nodes get a copy of.
    pub fn binary(&self) -> NodeBinary {
        NodeBinary {
            path: PathBuf::from("/bin/sh"),
            version: Version::new(0, 1, 0),
        }
    }

    /// Adds and starts node `number`.
    pub async fn running(&self, number: u32) -> Node {
        let node = self.node(number);
        self.manager.add(&node, &self.binary()).await.unwrap();
        self.manager.start(&node).await.unwrap();
        node
    }

    pub async fn state(&self, node: &Node) -> ProcessState {
        let states = self.manager.statuses(std::slice::from_ref(node)).await;
        states.unwrap().remove(&node.id).unwrap()
    }

    /// Number of the running node's process.
    pub async fn pid(&self, node: &Node) -> i32 {
        match self.state(node).await {
            ProcessState::Running { pid: Some(pid) } => i32::try_from(pid).unwrap(),
            other => panic!("{} is {other:?}", node.service),
        }
    }

    /// What the node has said so far.
    pub fn said(&self, node: &Node) -> String {
        let file = node.log_dir.as_ref().unwrap().join("antnode.out");
        std::fs::read_to_string(file).unwrap_or_default()
    }

    /// Waits until the node has said this.
    pub async fn until_said(&self, node: &Node, word: &str) {
        until(word, || self.said(node).contains(word)).await;
    }

    /// The same manager before a process table that cannot be read.
    #[cfg(target_os = "linux")]
    pub fn blind(&self) -> Setsid {
        let mut manager = Setsid::new(self.manager.kind, self.context.clone());
        manager.table = Table::at(self.dir.join("no-table"));
        manager
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let ours =
            |program: &Program| matches!(program, Program::At(path) if path.starts_with(&self.dir));
        let Ok(processes) = Table::system().processes(&ours) else {
            return;
        };
        let own = Table::system()
            .look(i32::try_from(std::process::id()).unwrap())
            .unwrap();
        for process in processes {
            let session = process.kin.session;
            let everyone = Table::system().everyone().unwrap_or_default();
            let fellow = |kin: &&Kin| kin.session == session && session != own.kin.session;
            for kin in everyone.iter().filter(fellow) {
                let _ = kill(Pid::from_raw(kin.pid), Signal::SIGKILL);
            }
            let _ = kill(Pid::from_raw(process.kin.pid), Signal::SIGKILL);
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

/// Waits until something has come about that the system gives no event for.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "never came about: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether a process with this number runs.
pub fn runs(pid: i32) -> bool {
    Table::system().start_of(pid).is_some()
}

/// Number after `word` in what a node said.
pub fn number_after(said: &str, word: &str) -> i32 {
    let line = said.lines().find_map(|line| line.strip_prefix(word));
    line.unwrap_or_else(|| panic!("no '{word}' in: {said}"))
        .trim()
        .parse()
        .unwrap()
}

/// The words of a refusal.
pub fn refusal(result: Result<(), ManagerError>) -> String {
    match result {
        Err(ManagerError::Rejected { what, words }) => format!("{what}: {words}"),
        other => panic!("not refused: {other:?}"),
    }
}

/// Whether the tests run as root, who may act for other accounts. Says so when not.
pub fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        eprintln!("skipped: needs root");
    }
    root
}
