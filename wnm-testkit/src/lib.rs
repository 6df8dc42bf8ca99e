//! Fakes, mocks and the conformance suite for managers.
//!
//! - [`conformance`]: what every manager promises, as tests that any manager crate can run;
//! - [`MemoryManager`]: a supervisor in memory, with switches for silence, refusals and lies;
//! - [`FakeClock`], [`FakeMachine`], [`FakeNodes`], [`FakeProgram`]: the rest of what a colony asks;
//! - [`SingleNode`]: the acts of a manager for one node.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod conformance;
mod fakes;
mod memory;
mod single_node;

pub use fakes::{FakeClock, FakeMachine, FakeNodes, FakeProgram};
pub use memory::{Lie, MemoryManager};
pub use single_node::SingleNode;
