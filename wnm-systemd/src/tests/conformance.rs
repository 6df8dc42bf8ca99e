//! The conformance suite over the fake systemd.

use std::sync::atomic::Ordering;

use wnm_core::manager::ProcessManager;
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_testkit::conformance::Backend;

use super::backend::TestBackend;

/// A unit that is not wnm's.
const FOREIGN: &str = "web.service";

impl Backend for TestBackend {
    fn manager(&self) -> &dyn ProcessManager {
        self.manager.as_ref()
    }

    fn node(&self, number: u32) -> Node {
        TestBackend::node(self, number)
    }

    fn binary(&self) -> NodeBinary {
        TestBackend::binary(self, "first")
    }

    fn newer_binary(&self) -> NodeBinary {
        let mut binary = TestBackend::binary(self, "first");
        binary.path = self.dir.path().join("newer");
        std::fs::write(&binary.path, "second").unwrap();
        binary
    }

    fn is_running(&self, node: &Node) -> bool {
        self.systemd.is_running(&node.service)
    }

    fn kill(&self, node: &Node) {
        self.systemd.running.lock().unwrap().remove(&node.service);
    }

    fn silence(&self) -> bool {
        self.systemd.unresponsive.store(true, Ordering::Relaxed);
        true
    }

    fn add_foreign(&self) -> bool {
        self.write_unit(FOREIGN, "[Service]\nExecStart=/usr/bin/web\n");
        let mut running = self.systemd.running.lock().unwrap();
        running.insert(FOREIGN.to_owned())
    }

    fn has_foreign(&self) -> bool {
        self.units().join(FOREIGN).exists() && self.systemd.is_running(FOREIGN)
    }
}

wnm_testkit::conformance_suite!(TestBackend::new());
