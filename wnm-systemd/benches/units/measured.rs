//! The measuring itself, inside the booted system.

#[path = "../../src/tests/context.rs"]
mod context;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use semver::Version;
use wnm_core::command::{CommandRunner, CommandSpec};
use wnm_core::kind::ManagerKind;
use wnm_core::manager::{ManagerError, ProcessManager};
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_host::command::SystemRunner;
use wnm_systemd::Systemd;
use wnm_tests::systemd::{As, Booted};

const UNITS: u32 = 300;

/// What the executor would allow on a large machine.
const AT_ONCE: usize = 16;

const INSIDE: &str = "--inside";

/// Starting three hundred sandboxed processes one by one on a busy machine.
const LIMIT: Duration = Duration::from_secs(600);

pub(crate) fn run() {
    if std::env::args().any(|word| word == INSIDE) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(measure());
        return;
    }
    let this = std::env::current_exe().unwrap();
    if let Some(system) = Booted::up(&[this.parent().unwrap()]) {
        let measured = system
            .call(As::Root, &this, [INSIDE])
            .within(LIMIT)
            .run()
            .succeeded();
        print!("{}", measured.stdout);
    }
}

async fn measure() {
    let dir = Path::new("/var/bench");
    std::fs::create_dir(dir).unwrap();
    let program = dir.join("program");
    std::fs::write(&program, "#!/bin/sh\nexec sleep 1000000\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let binary = NodeBinary {
        path: program,
        version: Version::new(0, 4, 17),
    };
    let context = context::context(dir, ManagerKind::SYSTEMD_SUDO, Arc::new(SystemRunner));
    let nodes: Vec<Node> = (1..=UNITS)
        .map(|number| context::node(&context, number))
        .collect();
    let manager = Arc::new(Systemd::new(ManagerKind::SYSTEMD_SUDO, context).unwrap());

    timed(&format!("{UNITS} units, {AT_ONCE} at once: add"), async {
        at_once(&nodes, |node| {
            let (manager, binary) = (Arc::clone(&manager), binary.clone());
            async move { manager.add(&node, &binary).await.map(drop) }
        })
        .await;
    })
    .await;
    timed("start, each watched for 0.3 s", async {
        at_once(&nodes, |node| {
            let manager = Arc::clone(&manager);
            async move { manager.start(&node).await }
        })
        .await;
    })
    .await;
    timed("states of all, connection included", async {
        manager.statuses(&nodes).await.unwrap();
    })
    .await;
    timed("states of all, again", async {
        manager.statuses(&nodes).await.unwrap();
    })
    .await;
    timed("states of all, one systemctl for each", async {
        for node in &nodes {
            let spec = CommandSpec::new("systemctl", LIMIT).args(["is-active", &node.service]);
            assert_eq!(SystemRunner.run(&spec).await.unwrap().code, Some(0));
        }
    })
    .await;
    timed("teardown of all", async {
        manager.teardown(&nodes).await.unwrap();
    })
    .await;
}

async fn at_once<F>(nodes: &[Node], act: impl Fn(Node) -> F)
where
    F: Future<Output = Result<(), ManagerError>> + Send + 'static,
{
    let mut under_way = tokio::task::JoinSet::<Result<(), ManagerError>>::new();
    for node in nodes {
        if under_way.len() >= AT_ONCE {
            under_way.join_next().await.unwrap().unwrap().unwrap();
        }
        under_way.spawn(act(node.clone()));
    }
    for done in under_way.join_all().await {
        done.unwrap();
    }
}

async fn timed(what: &str, work: impl Future<Output = ()>) {
    let begun = Instant::now();
    work.await;
    println!("{what:<45} {:>9.3} s", begun.elapsed().as_secs_f64());
}
