//! Inspects what a colony can take over: nodes under a supervisor, an installation of anm, and runs
//! of the Python wnm. Nothing here changes the machine; [`crate::Colony`] does.

mod adoption;
pub mod anm;
mod launch;
mod ports;
pub mod python;
mod settings;

pub use adoption::{Adoption, Claim, LeftAlone, assign_ids};
pub use launch::infer_launch_settings;
pub use ports::infer_port_bases;
pub use settings::{FoundSetting, infer_settings};
