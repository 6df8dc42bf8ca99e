//! What three hundred units cost, asked as wnm asks and as a program does that calls `systemctl` for each.
//!
//! Boots a systemd of its own and runs itself in it: `cargo bench -p wnm-systemd`, as root.
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
    println!("only Linux has systemd");
}
