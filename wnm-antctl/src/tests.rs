//! Tests against a scripted antctl, for answers that a real one gives rarely or late.

pub(crate) mod backend;
mod calls;
mod conformance;
