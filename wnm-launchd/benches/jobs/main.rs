//! Measures launchctl requests for 300 jobs against the fake launchd of the tests: how many
//! requests and how long they take. The time a real launchd needs to answer is not included.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark may panic when it cannot run"
)]

#[cfg(not(target_os = "macos"))]
mod measure;

#[cfg(not(target_os = "macos"))]
fn main() {
    measure::run();
}

#[cfg(target_os = "macos")]
fn main() {
    println!("this benchmark needs the fake launchd, which cannot run on macOS");
}
