//! Jobs of the fake launchd, which runs real processes.

use std::path::Path;

use super::TestBackend;
use crate::call::Call;
use crate::launchd::LaunchdFixture;

impl TestBackend for LaunchdFixture {
    fn init(&self, program: &Path, options: &[&str]) {
        let _created = self.init(program, options);
    }

    fn wnm(&self) -> Call {
        self.wnm([""; 0])
    }

    fn dir(&self) -> &Path {
        self.colony.dir()
    }

    fn check_agreement(&self) {
        self.check_agreement();
    }

    fn assert_nothing_left(&self) {
        self.assert_nothing_left();
    }
}
