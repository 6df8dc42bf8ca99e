//! A private storage and directory of units under a systemd in memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use semver::Version;
use tempfile::TempDir;
use wnm_core::machine::{
    Band, ContainerSettings, Delays, IoBands, Launch, Limits, Machine, Pacing, RemovalStrategy,
    Thresholds,
};
use wnm_core::manager::{
    CommandError, CommandOutput, CommandRunner, CommandSpec, ManagerContext, ManagerKind,
    NoFirewall, Paths, ProcessManager, ProcessState,
};
use wnm_core::node::{
    Actor, Desired, DesiredState, Node, NodeId, NodeMeasurements, Observed, ObservedState,
};
use wnm_core::ports::PortBases;
use wnm_core::program::{Antnode, NodeBinary};
use wnm_core::quantity::{Load, Milliseconds, Percent, Seconds, UnixTime};

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
        let context = context(dir.path(), ManagerKind::SYSTEMD_USER);
        let mut fake = Fake::over(units.clone());
        tell(&mut fake);
        let systemd = Arc::new(fake);
        let domain = Domain::User {
            runtime: dir.path().to_owned(),
            told: true,
        };
        let talk = Arc::clone(&systemd) as Arc<dyn crate::conversation::Conversation>;
        let kind = ManagerKind::SYSTEMD_USER;
        let manager = Systemd::speaking(kind, context.clone(), domain, units, talk);
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
        let id = NodeId::new(number).unwrap();
        let paths = &self.context.paths;
        let root_dir = paths.node_dir(id);
        Node {
            id,
            manager: ManagerKind::SYSTEMD_USER,
            service: format!("{}.service", id.directory_name()),
            user: "nobody".to_owned(),
            binary: root_dir.join("antnode"),
            version: None,
            log_dir: Some(paths.log_dir(id)),
            root_dir,
            ports: self.context.machine.ports.of(id).unwrap(),
            host: "127.0.0.1".to_owned(),
            network: "evm-arbitrum-one".to_owned(),
            wallet: Some(wnm_core::wallet::Address::FAUCET),
            peer_id: None,
            container: None,
            environment: None,
            desired: Desired {
                state: DesiredState::Running,
                by: Actor::Wnm,
                since: UnixTime(0),
            },
            observed: Observed {
                state: ObservedState::Stopped,
                at: UnixTime(0),
            },
            transition: None,
            measured: NodeMeasurements::default(),
            first_launch: UnixTime(0),
            status_since: UnixTime(0),
            last_start: None,
            failed_starts: 0,
            load_stops: 0,
        }
    }
}

pub fn context(dir: &Path, kind: ManagerKind) -> ManagerContext {
    let state = dir.join("state");
    let paths = Paths {
        node_storage: state.join("nodes"),
        logs: state.join("logs"),
        bootstrap_cache: state.join("cache"),
        state,
    };
    let runner = Arc::new(Says("Failed at step EXEC\n\nspawning\n"));
    ManagerContext {
        program: Arc::new(Antnode::new(runner.clone())),
        runner,
        firewall: Arc::new(NoFirewall),
        machine: machine(kind, &paths.node_storage),
        paths,
        launch: Launch::default(),
        owner: "nobody".to_owned(),
    }
}

fn machine(kind: ManagerKind, node_storage: &Path) -> Machine {
    let percent = Band {
        add_below: Percent::whole(50),
        remove_above: Percent::whole(70),
    };
    let load = Band {
        add_below: Load::default(),
        remove_above: Load::default(),
    };
    let none = Seconds(0);
    Machine {
        cpu_count: 2,
        node_cap: 20,
        thresholds: Thresholds {
            cpu: percent,
            memory: percent,
            disk: percent,
            disk_io: IoBands::OFF,
            net_io: IoBands::OFF,
            load,
        },
        delays: Delays {
            start: none,
            restart: none,
            upgrade: none,
            remove: none,
        },
        limits: Limits {
            upgrades: 1,
            starts: 1,
            removals: 1,
            operations: 1,
        },
        pacing: Pacing {
            survey: Milliseconds(0),
            action: Milliseconds(0),
        },
        node_storage: node_storage.to_owned(),
        rewards: "faucet".parse().unwrap(),
        donate_address: wnm_core::wallet::Address::FAUCET,
        ports: PortBases::default(),
        highest_id: None,
        last_stopped_at: None,
        host: "127.0.0.1".to_owned(),
        crisis_bytes: 0,
        launch: Launch::default(),
        removal_strategy: RemovalStrategy::Youngest,
        manager: kind,
        containers: ContainerSettings {
            max_nodes: 200,
            min_count: 1,
            image: None,
        },
        antnode_path: PathBuf::from("/bin/true"),
        antctl_path: PathBuf::new(),
        antctl_debug: false,
        antctl_version: None,
    }
}
