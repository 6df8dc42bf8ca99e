//! What nodes in containers cost: two hundred made and started in one container, with one exec for many and with one
//! for each; and a thousand in five containers asked what they are, in both ways to connect containers.
//!
//! Starts an engine of its own and runs itself beside it: `cargo bench -p wnm-s6overlay`, as root.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot run has nothing to tell"
)]

#[cfg(target_os = "linux")]
mod measured;

#[cfg(target_os = "linux")]
fn main() {
    measured::run();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the engine this starts for itself runs on Linux only");
}
