//! Nodes under the real antctl, with real node programs, as a person who is not root.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod crash;
mod halves;
mod hands;
mod life;
mod refusals;
mod zen;

use std::path::Path;

use nix::sys::signal::Signal;
use wnm_tests::antctl::Stage;
use wnm_tests::processes::Process;

/// A person with the real antctl and no nodes.
fn stage() -> Option<Stage> {
    Stage::up(Path::new(env!("CARGO_BIN_EXE_stub-systemctl")))
}

/// A colony with so many nodes that run.
fn colony_of(nodes: usize, version: &str) -> Option<Stage> {
    let stage = stage()?;
    stage.init("antctl+user", version, &["--node-cap=10"]);
    let count = format!("--count={nodes}");
    let _ = stage.wnm(["--force-action=add", &count]).run().succeeded();
    stage.settle(nodes);
    Some(stage)
}

/// The process of a service.
fn process_of(stage: &Stage, service: &str) -> Option<Process> {
    let all = stage.colony.processes().into_iter();
    let mut of_it = all.filter(|process| {
        let root = process.root_dir();
        root.is_some_and(|root| root.ends_with(service)) && process.exe.ends_with("antnode")
    });
    of_it.next()
}

fn signal(stage: &Stage, service: &str, signal: Signal) {
    process_of(stage, service)
        .expect("it does not run")
        .signal(signal);
}
