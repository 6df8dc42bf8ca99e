//! One machine's nodes and everything done with them: the store, observing, acting, and the façade
//! [`Colony`] over them.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod act;
mod colony;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzzing;
pub mod lock;
pub mod observe;
pub mod store;
pub mod takeover;

pub use colony::*;
