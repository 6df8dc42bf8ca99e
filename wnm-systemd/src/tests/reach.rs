//! When ports are opened and closed.

use std::sync::{Arc, Mutex};

use wnm_core::firewall::{MockFirewall, Opening};
use wnm_core::manager::ProcessManager;

use super::ground::Ground;
use crate::Systemd;
use crate::conversation::Conversation;

/// A manager whose firewall writes down what it is asked.
fn manager(ground: &Ground) -> (Systemd, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let mut firewall = MockFirewall::new();
    let note = |word: &'static str| {
        let asked = Arc::clone(&asked);
        move |opening: &Opening| {
            let ports = opening.ports().text('-');
            asked.lock().unwrap().push(format!("{word} {ports}"));
            Ok(())
        }
    };
    firewall.expect_open().returning(note("open"));
    firewall.expect_close().returning(note("close"));
    let mut context = ground.context.clone();
    context.firewall = Arc::new(firewall);
    let talk = Arc::clone(&ground.systemd) as Arc<dyn Conversation>;
    let domain = ground.manager.domain.clone();
    let kind = ground.manager.kind;
    let manager = Systemd::speaking(kind, context, domain, ground.units(), talk);
    (manager, asked)
}

#[tokio::test]
async fn ports_open_together_again_at_each_start_and_close_together() {
    let ground = Ground::new();
    let (manager, asked) = manager(&ground);
    let told = || std::mem::take(&mut *asked.lock().unwrap());
    let nodes = [1, 2, 3, 5].map(|number| ground.node(number));
    manager
        .prepare(&nodes.each_ref().map(Opening::of))
        .await
        .unwrap();
    assert_eq!(told(), ["open 55001-55003", "open 55005"]);
    for node in &nodes {
        manager.add(node, &ground.binary("first")).await.unwrap();
    }
    assert_eq!(told(), [""; 0]);
    manager.start(&nodes[1]).await.unwrap();
    assert_eq!(told(), ["open 55002"]);
    manager.remove(&nodes[1]).await.unwrap();
    assert_eq!(told(), ["close 55002"]);
    manager.teardown(&nodes).await.unwrap();
    assert_eq!(told(), ["close 55001-55003", "close 55005"]);
}
