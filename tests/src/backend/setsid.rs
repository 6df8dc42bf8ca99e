//! Plain detached processes. Nothing supervises them but wnm.

use std::path::Path;

use super::TestBackend;
use crate::agreement;
use crate::call::Call;
use crate::colony::{Colony, EAGER};

impl TestBackend for Colony {
    fn init(&self, program: &Path, options: &[&str]) {
        let options = EAGER.iter().chain(options);
        let _created = self.init("setsid+user", program, options);
    }

    fn wnm(&self) -> Call {
        self.wnm([""; 0])
    }

    fn dir(&self) -> &Path {
        self.dir()
    }

    fn check_agreement(&self) {
        agreement::check(self);
    }

    fn assert_nothing_left(&self) {
        self.assert_nothing_left();
    }
}
