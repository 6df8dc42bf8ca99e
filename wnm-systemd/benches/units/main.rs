//! Measures operations on 300 units, through wnm and with one `systemctl` call per unit.
//!
//! Boots its own systemd and runs itself inside it: `cargo bench -p wnm-systemd`, as root.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark may panic when it cannot run"
)]

#[cfg(target_os = "linux")]
mod measure;

#[cfg(target_os = "linux")]
fn main() {
    measure::run();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("this benchmark needs Linux");
}
