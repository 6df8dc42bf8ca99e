//! Services of the real antctl, with real node programs.

use std::path::{Path, PathBuf};

use super::TestBackend;
use crate::antctl::AntctlFixture;
use crate::call::Call;

impl TestBackend for AntctlFixture {
    fn init(&self, program: &Path, options: &[&str]) {
        let _created = self.init_with("antctl+user", program, options).succeeded();
    }

    fn wnm(&self) -> Call {
        self.wnm([""; 0])
    }

    fn dir(&self) -> &Path {
        self.colony.dir()
    }

    fn program(&self, version: &str) -> PathBuf {
        self.program(version)
    }

    /// antctl counts by itself.
    fn reuses_numbers(&self) -> bool {
        false
    }

    fn check_agreement(&self) {
        self.check_agreement();
    }

    fn assert_nothing_left(&self) {
        self.colony.assert_nothing_left();
        assert_eq!(self.names(), [""; 0], "services");
        assert_eq!(self.unit_names(), [""; 0], "units");
    }
}
