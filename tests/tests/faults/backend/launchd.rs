//! Jobs of the fake launchd.

use wnm_tests::backend::TestBackend;
use wnm_tests::call::{Background, Call, Outcome};
use wnm_tests::launchd::LaunchdFixture;

use super::FaultBackend;
use crate::power::{self, PowerByCopy};
use crate::silence::{NOWHERE, Supervisor};

impl FaultBackend for LaunchdFixture {
    fn cut_power(&self, operation: Background) -> Outcome {
        power::cut(self.dir(), self, operation)
    }

    fn supervisor(&self) -> Option<&dyn Supervisor> {
        Some(self)
    }
}

/// launchd's own files stay in place: it is stopped at the same moment and writes nothing afterwards.
impl PowerByCopy for LaunchdFixture {
    fn kept(&self) -> &[&str] {
        &["nodes", "home"]
    }

    fn stop(&self) {
        self.launchd.freeze();
    }

    fn off(&self) {
        self.launchd.kill();
    }

    fn on(&self) {
        self.launchd.boot();
    }
}

impl Supervisor for LaunchdFixture {
    fn freeze(&self) {
        self.launchd.freeze();
    }

    fn thaw(&self) {
        self.launchd.thaw();
    }

    /// Its nodes go on: a Mac never runs without launchd.
    fn take_down(&self) {
        self.launchd.hide();
    }

    fn bring_up(&self) {
        self.launchd.show();
    }

    fn lost(&self, _entirely: bool) -> Call {
        TestBackend::wnm(self).env("PATH", NOWHERE)
    }
}
