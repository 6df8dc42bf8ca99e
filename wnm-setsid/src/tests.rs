//! The manager against real processes.

#[cfg(target_os = "linux")]
mod accounts;
#[cfg(target_os = "linux")]
mod crashing;
#[cfg(target_os = "linux")]
mod ending;
#[cfg(target_os = "linux")]
mod finding;
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
mod ground;
mod lifecycle;
mod real;
mod refusing;
#[cfg(target_os = "linux")]
mod standing;
mod upgrading;
