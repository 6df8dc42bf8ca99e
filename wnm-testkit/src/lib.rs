//! Fakes, mocks and the conformance suite for managers and node programs.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod single_node;

pub use single_node::SingleNode;
