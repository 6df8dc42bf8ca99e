//! Node programs: what is run. Today antnode.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod antnode;
pub mod exposition;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzzing;

pub use antnode::{Antnode, AntnodeFactory};
