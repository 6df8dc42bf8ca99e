//! Limits on all nodes together.

use std::sync::Arc;

use wnm_core::machine::ConfigValue;
use wnm_core::manager::ProcessManager;
use wnm_testkit::SingleNode;

use super::backend::TestBackend;
use crate::Systemd;
use crate::client::Client;

/// Returns the manager of the next run, with these settings.
fn next_manager(backend: &TestBackend, memory: Option<&str>) -> Systemd {
    let mut context = backend.context.clone();
    let memory = memory.map_or(ConfigValue::Null, ConfigValue::from);
    let settings = &mut context.machine.manager_settings;
    settings.set("fleet_memory_max", memory);
    let client = Arc::clone(&backend.systemd) as Arc<dyn Client>;
    let domain = backend.manager.domain.clone();
    Systemd::with_client(
        backend.manager.kind.clone(),
        context,
        domain,
        backend.units(),
        client,
    )
}

#[tokio::test]
async fn a_changed_limit_causes_one_reload_in_the_next_run() {
    let backend = TestBackend::new();
    backend.add_node(1).await;
    let initial = backend.systemd.times("reload");
    let slice_text = || std::fs::read_to_string(backend.units().join("wnm.slice")).unwrap();
    assert!(!slice_text().contains("MemoryMax"));
    for _ in 0..2 {
        next_manager(&backend, Some("2G"))
            .prepare(&[])
            .await
            .unwrap();
        assert!(
            slice_text().ends_with("[Slice]\nMemoryMax=2G\n"),
            "{}",
            slice_text()
        );
        assert_eq!(backend.systemd.times("reload"), initial + 1);
    }
    next_manager(&backend, None).prepare(&[]).await.unwrap();
    assert!(!slice_text().contains("MemoryMax"));
    assert_eq!(backend.systemd.times("reload"), initial + 2);
}

#[tokio::test]
async fn reloads_a_slice_that_a_killed_run_wrote() {
    let backend = TestBackend::new();
    backend.add_node(1).await;
    let initial = backend.systemd.times("reload");
    let killed = next_manager(&backend, Some("2G"));
    assert!(killed.update_slice().await.unwrap());
    next_manager(&backend, Some("2G"))
        .prepare(&[])
        .await
        .unwrap();
    assert_eq!(backend.systemd.times("reload"), initial + 1);
}

#[tokio::test]
async fn creates_no_slice_without_nodes_and_keeps_a_foreign_one() {
    let backend = TestBackend::new();
    next_manager(&backend, Some("2G"))
        .prepare(&[])
        .await
        .unwrap();
    assert!(!backend.units().join("wnm.slice").exists());
    backend.write_unit("wnm.slice", "[Slice]\nMemoryMax=1G\n");
    next_manager(&backend, Some("2G"))
        .prepare(&[])
        .await
        .unwrap();
    next_manager(&backend, Some("2G"))
        .add_one(&backend.node(1), &backend.binary("first"))
        .await
        .unwrap();
    let text = std::fs::read_to_string(backend.units().join("wnm.slice")).unwrap();
    assert_eq!(text, "[Slice]\nMemoryMax=1G\n");
    assert_eq!(backend.systemd.times("reload"), 1);
}
