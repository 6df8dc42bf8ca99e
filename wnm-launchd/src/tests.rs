//! The manager against a launchd: the fake one that is a process of the test's own.
#![cfg(not(target_os = "macos"))]

mod domains;
mod finding;
mod former;
mod ground;
mod lifecycle;
mod looking;
mod refusing;
