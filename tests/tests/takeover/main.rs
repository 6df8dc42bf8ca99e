//! Adopting the nodes of a machine, under a real systemd, and releasing them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod anm;
mod colony;
mod doctor;
mod import;
mod release;
