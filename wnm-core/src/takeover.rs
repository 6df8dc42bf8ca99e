//! Taking over what is on a machine already: nodes that run under its supervisor, a fleet of anm, and the marks
//! that the Python wnm leaves. Everything here only looks and works out; what is done about it is for
//! [`crate::colony`].

pub mod anm;
mod found;
mod launch;
mod ports;
mod processes;
pub mod python;
mod settings;

#[cfg(test)]
pub(crate) use found::testing::found as found_for_tests;
pub use found::{Adoption, Claim, LeftAlone, sort_out};
pub use launch::launch_of;
pub use ports::fitting_bases;
pub use settings::{FoundSetting, settings_of};
