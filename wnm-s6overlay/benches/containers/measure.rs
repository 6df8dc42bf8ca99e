//! Starts the engine and takes the measurements.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use semver::Version;
use wnm_colony::observe::{HttpProbe, SurveyLimits};
use wnm_core::container::ContainerNetwork;
use wnm_core::firewall::NoFirewall;
use wnm_core::id::ContainerId;
use wnm_core::machine::ConfigValue;
use wnm_core::manager::{Containers, InsideProbe, ManagerContext, ProcessManager, Reset};
use wnm_core::node::Node;
use wnm_core::node::ProbeResult;
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

const NODES_PER_CONTAINER: u32 = 200;
const CONTAINERS: u32 = 5;
const ROUNDS: usize = 5;

/// The option with which the benchmark calls itself while the engine runs.
const MEASURE: &str = "--measure";

/// Enough for three thousand starts on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(3600);

pub(crate) fn run() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [MEASURE, dir] => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(measure(Path::new(dir)));
        }
        ref args if args.contains(&"--bench") => with_engine(Suite::Bookworm, |engine| {
            let dir = tempfile::tempdir().unwrap();
            nodes::simulated(dir.path(), "0.4.17");
            let program = std::env::current_exe().unwrap();
            let output = Call::new(&program, dir.path(), dir.path())
                .args([MEASURE.as_ref(), dir.path().as_os_str()])
                .env("DOCKER_HOST", engine.host())
                .within(TIMEOUT)
                .run()
                .succeeded();
            print!("{}", output.stdout);
        }),
        _ => println!("this is a benchmark, not a test; run it with cargo bench"),
    }
}

async fn measure(dir: &Path) {
    let colony = BenchColony::new(dir, ContainerNetwork::Host);
    let start = Instant::now();
    colony.create_containers(1).await;
    println!(
        "a container in the host network          {:>9.2?}",
        start.elapsed()
    );
    let nodes = colony.nodes(1..=NODES_PER_CONTAINER);
    let start = Instant::now();
    for batch in nodes.chunks(colony.manager.policy().batch) {
        colony.add_and_start(batch).await;
    }
    println!(
        "{NODES_PER_CONTAINER} nodes, in batches as wnm does it     {:>9.2?}",
        start.elapsed()
    );
    let start = Instant::now();
    let states = colony.manager.statuses(&nodes).await.unwrap();
    println!(
        "their states                             {:>9.2?}",
        start.elapsed()
    );
    assert_eq!(states.len(), nodes.len());
    colony.teardown(&nodes).await;

    colony.create_containers(1).await;
    let start = Instant::now();
    for node in &nodes {
        colony.add_and_start(std::slice::from_ref(node)).await;
    }
    println!(
        "{NODES_PER_CONTAINER} nodes, one exec for each             {:>9.2?}",
        start.elapsed()
    );
    colony.teardown(&nodes).await;

    for network in [ContainerNetwork::Host, ContainerNetwork::Published] {
        let colony = BenchColony::new(dir, network);
        let start = Instant::now();
        colony.create_containers(CONTAINERS).await;
        println!(
            "{CONTAINERS} containers, {network:<9}                  {:>9.2?}, {} proxies",
            start.elapsed(),
            count_proxies()
        );
        let nodes = colony.nodes(1..=CONTAINERS * NODES_PER_CONTAINER);
        for batch in nodes.chunks(NODES_PER_CONTAINER as usize) {
            colony.add_and_start(batch).await;
        }
        let mut best = Duration::MAX;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let answered = colony.survey(&nodes).await;
            best = best.min(start.elapsed());
            assert_eq!(answered, nodes.len());
        }
        println!(
            "survey of {} nodes, {network:<9}          {best:>9.2?}",
            nodes.len()
        );
        let start = Instant::now();
        colony.teardown(&nodes).await;
        println!(
            "removing all, {network:<9}                  {:>9.2?}",
            start.elapsed()
        );
    }
}

struct BenchColony {
    manager: S6Overlay,
    program: Arc<dyn NodeProgram>,
    binary: NodeBinary,
    paths: Paths,
}

impl BenchColony {
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
        let per_container = ConfigValue::from(u64::from(NODES_PER_CONTAINER));
        let machine = machine
            .with_manager_setting("max_node_per_container", per_container)
            .with_manager_setting("min_container_count", ConfigValue::Int(0))
            .with_manager_setting("docker_image", IMAGE.into())
            .with_manager_setting("container_network", network.word().into());
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
            manager: S6Overlay::new(wnm_s6overlay::USER, context).unwrap(),
            program,
            binary: NodeBinary {
                path: dir.join("0.4.17/antnode"),
                version: Version::new(0, 4, 17),
            },
            paths,
        }
    }

    fn nodes(&self, numbers: impl Iterator<Item = u32>) -> Vec<Node> {
        let nodes = numbers.map(|number| {
            let mut node = node(number);
            node.manager = wnm_s6overlay::USER;
            node.service = node.id.directory_name();
            node.root_dir = self.paths.node_dir(node.id);
            node.log_dir = Some(self.paths.log_dir(node.id));
            node.binary = node.root_dir.join("antnode");
            node
        });
        nodes.collect()
    }

    /// Creates containers 1 to `count`.
    async fn create_containers(&self, count: u32) {
        let containers: Vec<ContainerId> = (1..=count).map(ContainerId).collect();
        let report = self.manager.ensure(&containers, &[]).await.unwrap();
        assert!(
            report.outcomes.values().all(Result::is_ok),
            "{:?}",
            report.outcomes
        );
    }

    async fn add_and_start(&self, nodes: &[Node]) {
        for added in self.manager.add(nodes, &self.binary).await {
            added.unwrap();
        }
        for started in self.manager.start(nodes).await {
            started.unwrap();
        }
    }

    async fn teardown(&self, nodes: &[Node]) {
        self.manager.remove_everything(nodes).await.unwrap();
    }

    /// Probes all nodes as a cycle does, and returns how many answered.
    async fn survey(&self, nodes: &[Node]) -> usize {
        let mut probes = self.manager.probe(nodes).await;
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
        let answers = |probe: &&ProbeResult| matches!(probe, ProbeResult::Answered(_));
        probes.values().filter(answers).count()
    }
}

/// The number of docker-proxy processes, which forward published ports.
fn count_proxies() -> usize {
    let comm = |entry: PathBuf| std::fs::read_to_string(entry.join("comm")).ok();
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| comm(entry.ok()?.path()))
        .filter(|comm| comm.trim() == "docker-proxy")
        .count()
}
