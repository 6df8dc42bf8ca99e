//! A private storage and directory of units under a systemd in memory.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use semver::Version;
use tempfile::TempDir;
use wnm_core::command::{CommandError, CommandOutput, CommandRunner, CommandSpec};
use wnm_core::kind::ManagerKind;
use wnm_core::manager::{ManagerContext, ProcessManager};
use wnm_core::node::Node;
use wnm_core::node::ProcessState;
use wnm_core::program::NodeBinary;

use super::context::{context, node};
use super::fake::Fake;
use crate::Systemd;
use crate::domain::Domain;

/// Nothing here takes this long; what does has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Answers every command with these words, as the journal would.
pub struct Says(pub &'static str);

#[async_trait]
impl CommandRunner for Says {
    async fn run(&self, _: &CommandSpec) -> Result<CommandOutput, CommandError> {
        Ok(CommandOutput {
            code: Some(0),
            stdout: self.0.as_bytes().to_vec(),
            stderr: Vec::new(),
        })
    }
}

pub struct Ground {
    pub manager: Arc<Systemd>,
    pub systemd: Arc<Fake>,
    pub context: ManagerContext,
    pub dir: TempDir,
}

impl Ground {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// With a systemd that is told how to behave.
    pub fn with(tell: impl FnOnce(&mut Fake)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let units = dir.path().join("units");
        let context = context(
            dir.path(),
            ManagerKind::SYSTEMD_USER,
            Arc::new(Says("Failed at step EXEC\n\nspawning\n")),
        );
        let mut fake = Fake::over(units.clone());
        tell(&mut fake);
        let systemd = Arc::new(fake);
        let domain = Domain::User {
            runtime: dir.path().to_owned(),
            told: true,
        };
        let talk = Arc::clone(&systemd) as Arc<dyn crate::conversation::Conversation>;
        let kind = ManagerKind::SYSTEMD_USER;
        let mut manager = Systemd::speaking(kind, context.clone(), domain, units, talk);
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

    /// Another directory of units, which systemd looks into after the first.
    pub fn vendor_units(&self) -> PathBuf {
        self.dir.path().join("vendor")
    }

    /// Puts a unit there as another program or a person would.
    pub fn write_unit(&self, name: &str, text: &str) {
        let path = self.units().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn unit(&self, number: u32) -> String {
        std::fs::read_to_string(self.units().join(self.node(number).service)).unwrap()
    }

    /// A program with these words in it.
    pub fn binary(&self, words: &str) -> NodeBinary {
        let path = self.dir.path().join("program");
        std::fs::write(&path, words).unwrap();
        NodeBinary {
            path,
            version: Version::new(0, 4, 17),
        }
    }

    pub async fn added(&self, number: u32) -> Node {
        let node = self.node(number);
        self.manager
            .add(&node, &self.binary("first"))
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
