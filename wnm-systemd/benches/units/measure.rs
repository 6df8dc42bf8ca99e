//! The measurements, run inside the booted system.

#[path = "../../src/tests/context.rs"]
mod context;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use semver::Version;
use wnm_core::command::{CommandRunner, CommandSpec};
use wnm_core::manager::{ManagerError, ProcessManager};
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_host::command::SystemRunner;
use wnm_systemd::Systemd;
use wnm_testkit::SingleNode;
use wnm_tests::systemd::{As, System};

const UNITS: u32 = 300;

/// How many operations the executor would run at once on a large machine.
const CONCURRENCY: usize = 16;

const IN_MACHINE: &str = "--in-machine";

/// Starting 300 sandboxed processes one by one takes long on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(600);

pub(crate) fn run() {
    if std::env::args().any(|word| word == IN_MACHINE) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(measure());
        return;
    }
    let this = std::env::current_exe().unwrap();
    if let Some(system) = System::up(&[this.parent().unwrap()]) {
        let output = system
            .call(As::Root, &this, [IN_MACHINE])
            .within(TIMEOUT)
            .run()
            .succeeded();
        print!("{}", output.stdout);
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
    let context = context::context(dir, wnm_systemd::SUDO, Arc::new(SystemRunner));
    let nodes: Vec<Node> = (1..=UNITS)
        .map(|number| context::node(&context, number))
        .collect();
    let manager = Arc::new(Systemd::new(wnm_systemd::SUDO, context).unwrap());

    timed(
        &format!("{UNITS} units, {CONCURRENCY} at once: add"),
        async {
            concurrently(&nodes, |node| {
                let (manager, binary) = (Arc::clone(&manager), binary.clone());
                async move { manager.add_one(&node, &binary).await.map(drop) }
            })
            .await;
        },
    )
    .await;
    timed("start, each verified for 0.3 s", async {
        concurrently(&nodes, |node| {
            let manager = Arc::clone(&manager);
            async move { manager.start_one(&node).await }
        })
        .await;
    })
    .await;
    timed("statuses of all, including the connection", async {
        manager.statuses(&nodes).await.unwrap();
    })
    .await;
    timed("statuses of all, again", async {
        manager.statuses(&nodes).await.unwrap();
    })
    .await;
    timed("statuses of all, one systemctl call each", async {
        for node in &nodes {
            let spec = CommandSpec::new("systemctl", TIMEOUT).args(["is-active", &node.service]);
            assert_eq!(SystemRunner.run(&spec).await.unwrap().code, Some(0));
        }
    })
    .await;
    timed("teardown of all", async {
        manager.teardown(&nodes).await.unwrap();
    })
    .await;
}

async fn concurrently<F>(nodes: &[Node], act: impl Fn(Node) -> F)
where
    F: Future<Output = Result<(), ManagerError>> + Send + 'static,
{
    let mut running = tokio::task::JoinSet::<Result<(), ManagerError>>::new();
    for node in nodes {
        if running.len() >= CONCURRENCY {
            running.join_next().await.unwrap().unwrap().unwrap();
        }
        running.spawn(act(node.clone()));
    }
    for done in running.join_all().await {
        done.unwrap();
    }
}

async fn timed(what: &str, work: impl Future<Output = ()>) {
    let started = Instant::now();
    work.await;
    println!("{what:<45} {:>9.3} s", started.elapsed().as_secs_f64());
}
