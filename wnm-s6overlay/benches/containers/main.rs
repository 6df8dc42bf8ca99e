//! Measures nodes in containers: adding and starting 200 nodes in one container, with one exec for many nodes and with
//! one exec each, and probing 1000 nodes in five containers, in both network modes.
//!
//! Starts its own engine and runs itself against it. Run as root: `cargo bench -p wnm-s6overlay`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot run has no result"
)]

#[cfg(target_os = "linux")]
mod measure;

#[cfg(target_os = "linux")]
fn main() {
    measure::run();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("this benchmark needs Linux: its engine does not run elsewhere");
}
