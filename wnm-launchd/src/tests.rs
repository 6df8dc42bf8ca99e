//! Tests the manager against a fake launchd, which runs as a process of the test.
#![cfg(not(target_os = "macos"))]

mod backend;
mod conformance;
mod discover;
mod domains;
mod legacy;
mod lifecycle;
mod refusals;
mod status;
