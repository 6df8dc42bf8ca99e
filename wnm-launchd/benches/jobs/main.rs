//! What the conversation over three hundred jobs costs, with the fake launchd of the tests: how much is asked, and
//! what the asking itself takes. What a real launchd takes for its answers is not in it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot run has nothing to tell"
)]

#[cfg(not(target_os = "macos"))]
mod measured;

#[cfg(not(target_os = "macos"))]
fn main() {
    measured::run();
}

#[cfg(target_os = "macos")]
fn main() {
    println!("measured with the launchd of the tests, which does not run beside the real one");
}
