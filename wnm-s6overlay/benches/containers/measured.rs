//! The measuring itself, beside the engine it starts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use semver::Version;
use wnm_colony::observe::{HttpProbe, SurveyLimits};
use wnm_core::container::ContainerNetwork;
use wnm_core::firewall::NoFirewall;
use wnm_core::id::NodeId;
use wnm_core::kind::ManagerKind;
use wnm_core::manager::{ManagerContext, ProcessManager};
use wnm_core::node::Node;
use wnm_core::node::Probe;
use wnm_core::paths::Paths;
use wnm_core::probe::{NodeProbe, SurveyTarget};
use wnm_core::program::{NodeBinary, NodeProgram};
use wnm_core::quantity::Milliseconds;
use wnm_core::testing::{machine, node};
use wnm_host::command::SystemRunner;
use wnm_programs::Antnode;
use wnm_s6overlay::S6Overlay;
use wnm_tests::call::Call;
use wnm_tests::engine::{IMAGE, Suite, with_engine};
use wnm_tests::nodes;

const SIZE: u32 = 200;
const CONTAINERS: u32 = 5;
const ROUNDS: usize = 5;

const INSIDE: &str = "--inside";

/// Three thousand starts on a busy machine.
const LIMIT: Duration = Duration::from_secs(3600);

pub(crate) fn run() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [INSIDE, dir] => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(measure(Path::new(dir)));
        }
        ref words if words.contains(&"--bench") => with_engine(Suite::Bookworm, |engine| {
            let dir = tempfile::tempdir().unwrap();
            nodes::simulated(dir.path(), "0.4.17");
            let this = std::env::current_exe().unwrap();
            let measured = Call::new(&this, dir.path(), dir.path())
                .args([INSIDE.as_ref(), dir.path().as_os_str()])
                .env("DOCKER_HOST", engine.host())
                .within(LIMIT)
                .run()
                .succeeded();
            print!("{}", measured.stdout);
        }),
        _ => println!("nothing to test here; run it with cargo bench"),
    }
}

async fn measure(dir: &Path) {
    let stage = Stage::new(dir, ContainerNetwork::Host);
    let began = Instant::now();
    stage.open(1).await;
    println!(
        "a container with the machine's network   {:>9.2?}",
        began.elapsed()
    );
    let nodes = stage.nodes(1..=SIZE);
    let began = Instant::now();
    for batch in nodes.chunks(stage.manager.batch()) {
        stage.bring_up(batch).await;
    }
    println!(
        "{SIZE} nodes, as wnm does it                {:>9.2?}",
        began.elapsed()
    );
    let began = Instant::now();
    let states = stage.manager.statuses(&nodes).await.unwrap();
    println!(
        "their states                             {:>9.2?}",
        began.elapsed()
    );
    assert_eq!(states.len(), nodes.len());
    stage.clear(&nodes).await;

    stage.open(1).await;
    let began = Instant::now();
    for node in &nodes {
        stage.bring_up(std::slice::from_ref(node)).await;
    }
    println!(
        "{SIZE} nodes, one exec for each             {:>9.2?}",
        began.elapsed()
    );
    stage.clear(&nodes).await;

    for network in [ContainerNetwork::Host, ContainerNetwork::Published] {
        let stage = Stage::new(dir, network);
        let began = Instant::now();
        stage.open(CONTAINERS).await;
        println!(
            "{CONTAINERS} containers, {network:<9}                  {:>9.2?}, {} proxies",
            began.elapsed(),
            proxies()
        );
        let nodes = stage.nodes(1..=CONTAINERS * SIZE);
        for batch in nodes.chunks(SIZE as usize) {
            stage.bring_up(batch).await;
        }
        let mut best = Duration::MAX;
        for _ in 0..ROUNDS {
            let began = Instant::now();
            let answered = stage.survey(&nodes).await;
            best = best.min(began.elapsed());
            assert_eq!(answered, nodes.len());
        }
        println!(
            "survey of {} nodes, {network:<9}          {best:>9.2?}",
            nodes.len()
        );
        let began = Instant::now();
        stage.clear(&nodes).await;
        println!(
            "removing all of it, {network:<9}            {:>9.2?}",
            began.elapsed()
        );
    }
}

struct Stage {
    manager: S6Overlay,
    program: Arc<dyn NodeProgram>,
    binary: NodeBinary,
    paths: Paths,
}

impl Stage {
    fn new(dir: &Path, network: ContainerNetwork) -> Self {
        let storage = dir.join("nodes");
        std::fs::create_dir_all(&storage).unwrap();
        let paths = Paths {
            state: dir.to_owned(),
            logs: storage.join("logs"),
            bootstrap_cache: storage.join("bootstrap-cache"),
            node_storage: storage.clone(),
        };
        let program: Arc<dyn NodeProgram> = Arc::new(Antnode::new(Arc::new(SystemRunner)));
        let mut machine = machine();
        machine.node_storage = storage;
        machine.containers.max_nodes = SIZE;
        machine.containers.min_count = 0;
        machine.containers.image = Some(IMAGE.to_owned());
        machine.containers.network = network;
        let context = ManagerContext {
            program: Arc::clone(&program),
            runner: Arc::new(SystemRunner),
            firewall: Arc::new(NoFirewall),
            paths: paths.clone(),
            launch: wnm_core::machine::Launch {
                no_upnp: true,
                ..Default::default()
            },
            owner: "ant".to_owned(),
            machine,
        };
        Self {
            manager: S6Overlay::new(ManagerKind::S6OVERLAY_USER, context).unwrap(),
            program,
            binary: NodeBinary {
                path: dir.join("0.4.17/antnode"),
                version: Version::new(0, 4, 17),
            },
            paths,
        }
    }

    fn nodes(&self, numbers: impl Iterator<Item = u32>) -> Vec<Node> {
        let made = numbers.map(|number| {
            let mut node = node(number);
            node.manager = ManagerKind::S6OVERLAY_USER;
            node.service = node.id.directory_name();
            node.root_dir = self.paths.node_dir(node.id);
            node.log_dir = Some(self.paths.log_dir(node.id));
            node.binary = node.root_dir.join("antnode");
            node
        });
        made.collect()
    }

    /// Has containers 1 to `count` made.
    async fn open(&self, count: u32) {
        let numbers = (0..count).filter_map(|k| NodeId::new(k * SIZE + 1));
        let adding: Vec<NodeId> = numbers.collect();
        let housing = self.manager.house(&[], &adding).await.unwrap();
        assert!(housing.closed.is_empty(), "{:?}", housing.closed);
    }

    async fn bring_up(&self, nodes: &[Node]) {
        for added in self.manager.add_all(nodes, &self.binary).await {
            added.unwrap();
        }
        for started in self.manager.start_all(nodes).await {
            started.unwrap();
        }
    }

    async fn clear(&self, nodes: &[Node]) {
        self.manager.teardown(nodes).await.unwrap();
    }

    /// How many answer when all are asked as a cycle asks them.
    async fn survey(&self, nodes: &[Node]) -> usize {
        let mut probes = self.manager.ask(nodes).await;
        let targets: Vec<SurveyTarget> = nodes
            .iter()
            .filter(|node| !probes.contains_key(&node.id))
            .map(|node| SurveyTarget {
                id: node.id,
                host: node.host.clone(),
                port: node.ports.metrics.unwrap(),
            })
            .collect();
        let probe = HttpProbe::new(Arc::clone(&self.program), SurveyLimits::default());
        probes.extend(probe.survey(&targets, Milliseconds(0)).await);
        let answers = |probe: &&Probe| matches!(probe, Probe::Answered(_));
        probes.values().filter(answers).count()
    }
}

/// Processes of the engine that pass published ports on.
fn proxies() -> usize {
    let comm = |entry: PathBuf| std::fs::read_to_string(entry.join("comm")).ok();
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| comm(entry.ok()?.path()))
        .filter(|comm| comm.trim() == "docker-proxy")
        .count()
}
