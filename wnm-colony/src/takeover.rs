//! Taking over what is on a machine already: nodes that run under its supervisor, a fleet of anm, and the marks
//! that the Python wnm leaves. Everything here only looks and works out; what is done about it is for
//! [`crate::colony`].

pub mod anm;
mod found;
mod launch;
mod ports;
pub mod python;
mod settings;

pub use found::{Adoption, Claim, LeftAlone, sort_out};
pub use launch::launch_of;
pub use ports::fitting_bases;
pub use settings::{FoundSetting, settings_of};
