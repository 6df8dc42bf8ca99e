//! What tests of wnm and of crates that build on it share.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod corpus;
mod fixtures;

pub use corpus::Corpus;
pub use fixtures::{METADATA, METRICS, fixture};
