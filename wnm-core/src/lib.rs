//! The node manager's model and decisions: pure data, pure functions, and the traits around them.
//!
//! A cycle goes one way: observe, decide, act, record. This crate holds what the four speak of and the
//! second of them: [`decide`] turns a [`snapshot::Snapshot`] into a [`decide::Plan`] without any I/O. It
//! contains no SQL, HTTP, Docker or process code; the crate `wnm-colony` does the rest.
//!
//! This crate knows no supervisor; each one is a crate of its own that implements
//! [`manager::ProcessManager`].
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod clock;
pub mod command;
pub mod container;
pub mod cycle;
pub mod decide;
pub mod doctor;
pub mod event;
pub mod fault;
pub mod firewall;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzzing;
pub mod id;
pub mod kind;
pub mod machine;
pub mod manager;
pub mod node;
pub mod numbering;
pub mod option;
pub mod paths;
pub mod ports;
pub mod probe;
pub mod program;
pub mod quantity;
pub mod registry;
pub mod reports;
pub mod snapshot;
#[cfg(any(test, feature = "mock"))]
pub mod testing;
pub mod wallet;
