//! Plain detached processes: no supervisor can fall silent.

use wnm_tests::call::{Background, Outcome};
use wnm_tests::colony::Colony;

use super::FaultBackend;
use crate::power::{self, PowerByCopy};

impl FaultBackend for Colony {
    fn cut_power(&self, operation: Background) -> Outcome {
        power::cut(self.dir(), self, operation)
    }
}

impl PowerByCopy for Colony {
    fn kept(&self) -> &[&str] {
        &["nodes"]
    }
}
