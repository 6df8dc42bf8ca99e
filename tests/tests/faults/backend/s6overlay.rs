//! Services of s6 in containers of a real engine.

use nix::sys::signal::Signal;
use wnm_tests::backend::{S6Fixture, TestBackend};
use wnm_tests::call::{Background, Call, Outcome};

use super::FaultBackend;
use crate::silence::Supervisor;

impl FaultBackend for S6Fixture<'_> {
    fn cut_power(&self, operation: Background) -> Outcome {
        // Before the engine, or the operation could notice that the engine is gone.
        let outcome = operation.end_with(Signal::SIGKILL);
        self.engine_mut().cut_power();
        outcome
    }

    fn supervisor(&self) -> Option<&dyn Supervisor> {
        Some(self)
    }
}

impl Supervisor for S6Fixture<'_> {
    fn freeze(&self) {
        self.engine().freeze();
    }

    fn thaw(&self) {
        self.engine().thaw();
    }

    /// Its nodes stop, too.
    fn take_down(&self) {
        self.engine_mut().stop();
    }

    fn bring_up(&self) {
        self.engine_mut().start();
    }

    fn lost(&self, _entirely: bool) -> Call {
        TestBackend::wnm(self).env("DOCKER_HOST", "unix:///nowhere")
    }
}
