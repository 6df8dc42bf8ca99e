//! The node manager's library.
//!
//! A cycle goes one way: [`observe`] builds a [`observe::Snapshot`], [`decide`] turns it into a
//! [`decide::Plan`] without any I/O, [`act`] makes it so through a [`manager::ProcessManager`], and what was
//! wanted and what came of it is recorded in the [`store`]. [`colony::Colony`] is the façade over the four.
//!
//! This crate knows no supervisor; each one is a crate of its own that implements
//! [`manager::ProcessManager`].
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod act;
pub mod clock;
pub mod colony;
pub mod container;
pub mod decide;
pub mod doctor;
pub mod event;
pub mod fault;
pub mod files;
pub mod firewall;
#[cfg(any(test, feature = "fuzz"))]
pub mod hostile;
pub mod ids;
pub mod lock;
pub mod machine;
pub mod manager;
pub mod node;
pub mod observe;
pub mod ports;
pub mod program;
pub mod quantity;
pub mod report;
pub mod settings;
pub mod store;
pub mod takeover;
pub mod wallet;
