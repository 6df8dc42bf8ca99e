//! Tests of the manager against real processes.

mod accounts;
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
mod backend;
#[cfg(target_os = "linux")]
mod conformance;
#[cfg(target_os = "linux")]
mod crash;
#[cfg(target_os = "linux")]
mod discover;
mod errors;
#[cfg(target_os = "linux")]
mod isolation;
mod lifecycle;
mod real_node;
#[cfg(target_os = "linux")]
mod stop;
mod upgrade;
