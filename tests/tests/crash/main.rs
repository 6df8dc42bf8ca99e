//! wnm killed at every fault point of every operation, under each manager. Whatever moment it dies at, the next cycles
//! either finish the operation or leave it undone, and never leave a part of it behind.
//!
//! The idea is the same for all managers: [`kill`] does it, to a [`test_colony`] that takes its manager as a
//! [`TestBackend`](wnm_tests::backend::TestBackend). The module of a manager lists its operations and its tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(target_os = "linux")]
mod antctl;
mod kill;
#[cfg(not(target_os = "macos"))]
mod launchd;
mod moments;
mod operation;
#[cfg(target_os = "linux")]
mod s6overlay;
mod setsid;
mod snapshot;
#[cfg(target_os = "linux")]
mod systemd;
mod test_colony;
