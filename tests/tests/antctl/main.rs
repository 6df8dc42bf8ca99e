//! Nodes under the real antctl, with real node programs, as a person who is not root.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod halves;
mod hands;
mod life;
mod refusals;
mod zen;

use nix::sys::signal::Signal;
use wnm_tests::antctl::AntctlFixture;
use wnm_tests::processes::Process;

/// A person with the real antctl and no nodes.
fn fixture() -> Option<AntctlFixture> {
    AntctlFixture::up()
}

/// A colony with so many nodes that run.
fn colony_of(nodes: usize, version: &str) -> Option<AntctlFixture> {
    let fixture = fixture()?;
    fixture.init("antctl+user", version, &["--node-cap=10"]);
    let count = format!("--count={nodes}");
    let _ = fixture
        .wnm(["--force-action=add", &count])
        .run()
        .succeeded();
    fixture.settle(nodes);
    Some(fixture)
}

/// The process of a service.
fn process_of(fixture: &AntctlFixture, service: &str) -> Option<Process> {
    let all = fixture.colony.processes().into_iter();
    let mut of_it = all.filter(|process| {
        let root = process.root_dir();
        root.is_some_and(|root| root.ends_with(service)) && process.exe.ends_with("antnode")
    });
    of_it.next()
}

fn signal(fixture: &AntctlFixture, service: &str, signal: Signal) {
    process_of(fixture, service)
        .expect("it does not run")
        .signal(signal);
}
