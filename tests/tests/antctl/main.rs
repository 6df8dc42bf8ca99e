//! Nodes under the real antctl, with real node programs, for a user who is not root.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lifecycle;
mod manual_calls;
mod partial_calls;
mod refusals;
mod zen;

use nix::sys::signal::Signal;
use wnm_tests::antctl::AntctlFixture;
use wnm_tests::backend::TestBackend;
use wnm_tests::processes::Process;

/// A user with the real antctl and no nodes.
fn fixture() -> Option<AntctlFixture> {
    AntctlFixture::up()
}

/// A colony with this many running nodes.
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

/// Tears the colony down, and fails the test when something of it is left.
fn tear_down(fixture: &AntctlFixture) {
    let teardown = ["--force-action=teardown", "--confirm"];
    let _ = fixture.wnm(teardown).run().succeeded();
    fixture.assert_nothing_left();
}
