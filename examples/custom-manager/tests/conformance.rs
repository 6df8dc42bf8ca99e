//! The manager keeps the contract of all managers.

use custom_manager::Memory;
use wnm_core::manager::ProcessManager;
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_core::testing::{node, snapshot};
use wnm_testkit::conformance::Backend;
use wnm_testkit::conformance_suite;

#[derive(Default)]
struct InMemory(Memory);

impl Backend for InMemory {
    fn manager(&self) -> &dyn ProcessManager {
        &self.0
    }

    fn node(&self, number: u32) -> Node {
        node(number)
    }

    fn binary(&self) -> NodeBinary {
        snapshot().binary.unwrap()
    }

    fn newer_binary(&self) -> NodeBinary {
        let mut binary = self.binary();
        binary.version.patch += 1;
        binary
    }

    fn is_running(&self, node: &Node) -> bool {
        let services = self.0.0.services();
        services
            .get(&node.id)
            .is_some_and(|service| service.running)
    }

    fn kill(&self, node: &Node) {
        if let Some(service) = self.0.0.services().get_mut(&node.id) {
            service.running = false;
        }
    }

    fn has_program(&self, node: &Node, binary: &NodeBinary) -> bool {
        let services = self.0.0.services();
        services
            .get(&node.id)
            .is_some_and(|service| service.binary == *binary)
    }

    fn has_data(&self, node: &Node) -> bool {
        self.0.0.services().contains_key(&node.id)
    }

    fn finds_by_name(&self) -> bool {
        false
    }
}

conformance_suite!(InMemory::default());
