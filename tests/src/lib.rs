//! What the tests of the whole product share: a colony of their own in a private directory with ports of its
//! own, node programs to put into it, and ways to look at what came of it.
//!
//! Everything here panics with a description when it cannot do its part, since its callers are tests.
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
