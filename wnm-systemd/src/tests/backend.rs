//! A manager with private directories and a fake systemd.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use semver::Version;
use tempfile::TempDir;
use wnm_core::command::{CommandError, CommandOutput, CommandRunner, CommandSpec};
use wnm_core::manager::{ManagerContext, ProcessManager};
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_core::program::NodeBinary;
use wnm_testkit::SingleNode;

use super::context::{context, node};
use super::fake_systemd::FakeSystemd;
use crate::Systemd;
use crate::domain::Domain;

/// Timeout for anything that should be quick.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// Prints this text for every command, as journalctl would.
pub struct PrintsText(pub &'static str);

#[async_trait]
impl CommandRunner for PrintsText {
    async fn run(&self, _: &CommandSpec) -> Result<CommandOutput, CommandError> {
        Ok(CommandOutput {
            code: Some(0),
            stdout: self.0.as_bytes().to_vec(),
            stderr: Vec::new(),
        })
    }
}

pub struct TestBackend {
    pub manager: Arc<Systemd>,
    pub systemd: Arc<FakeSystemd>,
    pub context: ManagerContext,
    pub dir: TempDir,
}

impl TestBackend {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// Creates a backend and configures its fake systemd.
    pub fn with(configure: impl FnOnce(&mut FakeSystemd)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let units = dir.path().join("units");
        let context = context(
            dir.path(),
            crate::USER,
            Arc::new(PrintsText("Failed at step EXEC\n\nspawning\n")),
        );
        let mut fake = FakeSystemd::new(units.clone());
        configure(&mut fake);
        let systemd = Arc::new(fake);
        let domain = Domain::User {
            runtime: dir.path().to_owned(),
            in_environment: true,
        };
        let client = Arc::clone(&systemd) as Arc<dyn crate::client::Client>;
        let kind = crate::USER;
        let mut manager = Systemd::with_client(kind, context.clone(), domain, units, client);
        manager.other_unit_dirs = vec![dir.path().join("vendor")];
        Self {
            manager: Arc::new(manager),
            systemd,
            context,
            dir,
        }
    }

    pub fn units(&self) -> PathBuf {
        self.dir.path().join("units")
    }

    /// A second unit directory, with lower precedence.
    pub fn vendor_units(&self) -> PathBuf {
        self.dir.path().join("vendor")
    }

    /// Writes a unit as another program would.
    pub fn write_unit(&self, name: &str, text: &str) {
        let path = self.units().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn unit(&self, number: u32) -> String {
        std::fs::read_to_string(self.units().join(self.node(number).service)).unwrap()
    }

    /// Returns a program that contains this text.
    pub fn binary(&self, words: &str) -> NodeBinary {
        let path = self.dir.path().join("program");
        std::fs::write(&path, words).unwrap();
        NodeBinary {
            path,
            version: Version::new(0, 4, 17),
        }
    }

    pub async fn add_node(&self, number: u32) -> Node {
        let node = self.node(number);
        self.manager
            .add_one(&node, &self.binary("first"))
            .await
            .unwrap();
        node
    }

    pub async fn state(&self, node: &Node) -> ProcessState {
        let states = self.manager.statuses(std::slice::from_ref(node)).await;
        states.unwrap().remove(&node.id).unwrap()
    }

    pub fn node(&self, number: u32) -> Node {
        node(&self.context, number)
    }
}
