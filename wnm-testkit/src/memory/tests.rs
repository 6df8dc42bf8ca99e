use std::future::poll_fn;

use super::*;
use crate::SingleNode;
use crate::conformance::{self, Backend};
use wnm_core::testing::{node, snapshot};

struct InMemory {
    manager: MemoryManager,
}

impl InMemory {
    fn new() -> Self {
        Self {
            manager: MemoryManager::new(),
        }
    }

    fn lying(lie: Lie) -> Self {
        let backend = Self::new();
        backend.manager.lie(lie);
        backend
    }
}

impl Backend for InMemory {
    fn manager(&self) -> &dyn ProcessManager {
        &self.manager
    }
    fn node(&self, number: u32) -> Node {
        let node = node(number);
        Node {
            service: node.id.directory_name(),
            ..node
        }
    }
    fn binary(&self) -> NodeBinary {
        snapshot().binary.unwrap()
    }
    fn newer_binary(&self) -> NodeBinary {
        let mut binary = self.binary();
        binary.version.patch += 1;
        binary
    }
    fn has_program(&self, node: &Node, binary: &NodeBinary) -> bool {
        self.manager.program_of(node.id).as_ref() == Some(binary)
    }
    fn is_running(&self, node: &Node) -> bool {
        // A removal under a living node leaves its process, which the supervisor does not know.
        self.manager.is_running(node.id)
            || self.manager.state().lie == Some(Lie::RemovesUnderLiving)
    }
    fn has_data(&self, node: &Node) -> bool {
        self.manager.has_node(node.id)
    }
    fn kill(&self, node: &Node) {
        self.manager.kill(node.id);
    }
    fn silence(&self) -> bool {
        self.manager.silence();
        true
    }
    fn make_unstoppable(&self, node: &Node) -> bool {
        self.manager.make_unstoppable(node.id);
        true
    }
    fn add_foreign(&self) -> bool {
        self.manager.add_foreign("web");
        true
    }
    fn has_foreign(&self) -> bool {
        self.manager.has_foreign("web")
    }
}

crate::conformance_suite!(InMemory::new());

#[tokio::test]
async fn the_suite_finds_every_lie() {
    for lie in Lie::ALL {
        let suite = conformance::run(move || Box::new(InMemory::lying(lie)) as Box<dyn Backend>);
        let found = tokio::spawn(suite).await;
        assert!(found.is_err_and(|error| error.is_panic()), "{lie:?} passes");
    }
}

#[tokio::test]
async fn events_follow_the_nodes() {
    let manager = MemoryManager::new();
    let mut events = manager.events().unwrap();
    let node = InMemory::new().node(7);
    let added = manager.add_one(&node, &snapshot().binary.unwrap()).await;
    let service = added.unwrap().service;
    manager.start_one(&node).await.unwrap();
    manager.start_one(&node).await.unwrap();
    manager.kill(node.id);
    drop(manager);
    let mut seen = Vec::new();
    while let Some(event) = poll_fn(|context| events.as_mut().poll_next(context)).await {
        seen.push(event);
    }
    let up = ManagerEvent::NodeUp {
        service: service.clone(),
    };
    assert_eq!(seen, [up, ManagerEvent::NodeDown { service }]);
}

#[tokio::test]
async fn a_restarted_container_loses_its_nodes() {
    let manager = MemoryManager::with_containers(2);
    let (id, binary) = (ContainerId(1), snapshot().binary.unwrap());
    let containers = manager.containers().unwrap();
    containers.ensure(&[id], &[]).await.unwrap();
    let mut node = InMemory::new().node(1);
    node.container = manager.add_one(&node, &binary).await.unwrap().container;
    manager.start_one(&node).await.unwrap();
    let lost = async || {
        let observed = containers.observe(std::slice::from_ref(&node)).await;
        observed.unwrap().containers[0].lost.clone()
    };
    assert_eq!(lost().await, []);
    manager.restart_container(id);
    assert_eq!(lost().await, [node.id]);
    manager.start_one(&node).await.unwrap();
    assert_eq!(lost().await, []);
}
