//! What the tests of the whole product share: a colony in a private directory with its own ports, node programs for it,
//! and ways to inspect the result.
//!
//! Everything here panics with a description when it fails, since its callers are tests.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod agreement;
#[cfg(target_os = "linux")]
pub mod antctl;
pub mod backend;
pub mod binaries;
pub mod call;
pub mod colony;
pub mod database;
#[cfg(target_os = "linux")]
pub mod engine;
pub mod fault_points;
pub mod fleet;
pub mod launchd;
#[cfg(target_os = "linux")]
pub mod network;
pub mod nodes;
pub mod ports;
pub mod processes;
#[cfg(target_os = "linux")]
pub mod python;
pub mod real;
#[cfg(target_os = "linux")]
pub mod systemd;
pub mod wait;
