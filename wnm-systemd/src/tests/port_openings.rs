//! Checks when ports are opened and closed.

use std::sync::{Arc, Mutex};

use wnm_core::firewall::{MockFirewall, Opening};
use wnm_core::manager::ProcessManager;
use wnm_testkit::SingleNode;

use super::backend::TestBackend;
use crate::Systemd;
use crate::client::Client;

/// Returns a manager whose firewall records its calls.
fn manager(backend: &TestBackend) -> (Systemd, Arc<Mutex<Vec<String>>>) {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let mut firewall = MockFirewall::new();
    let note = |word: &'static str| {
        let calls = Arc::clone(&calls);
        move |opening: &Opening| {
            let ports = opening.ports().text('-');
            calls.lock().unwrap().push(format!("{word} {ports}"));
            Ok(())
        }
    };
    firewall.expect_open().returning(note("open"));
    firewall.expect_close().returning(note("close"));
    let mut context = backend.context.clone();
    context.firewall = Arc::new(firewall);
    let client = Arc::clone(&backend.systemd) as Arc<dyn Client>;
    let domain = backend.manager.domain.clone();
    let kind = backend.manager.kind.clone();
    let manager = Systemd::with_client(kind, context, domain, backend.units(), client);
    (manager, calls)
}

#[tokio::test]
async fn ports_open_in_ranges_reopen_at_start_and_close_in_ranges() {
    let backend = TestBackend::new();
    let (manager, calls) = manager(&backend);
    let take_calls = || std::mem::take(&mut *calls.lock().unwrap());
    let nodes = [1, 2, 3, 5].map(|number| backend.node(number));
    manager
        .prepare(&nodes.each_ref().map(Opening::of))
        .await
        .unwrap();
    assert_eq!(take_calls(), ["open 55001-55003", "open 55005"]);
    for node in &nodes {
        manager
            .add_one(node, &backend.binary("first"))
            .await
            .unwrap();
    }
    assert_eq!(take_calls(), [""; 0]);
    manager.start_one(&nodes[1]).await.unwrap();
    assert_eq!(take_calls(), ["open 55002"]);
    manager.remove_one(&nodes[1]).await.unwrap();
    assert_eq!(take_calls(), ["close 55002"]);
    manager.teardown(&nodes).await.unwrap();
    assert_eq!(take_calls(), ["close 55001-55003", "close 55005"]);
}
