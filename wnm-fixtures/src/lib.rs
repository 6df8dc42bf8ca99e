//! Recorded data that tests read: pages of real nodes, databases and reports of the Python wnm, and the corpus
//! that fuzzing keeps. The crate depends on no other crate of wnm, so all of them can use it.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod corpus;
mod files;

pub use corpus::Corpus;
pub use files::{METADATA, METRICS, fixture};
