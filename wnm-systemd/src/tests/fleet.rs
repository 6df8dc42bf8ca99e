//! What all nodes may take together.

use std::sync::Arc;

use wnm_core::machine::FleetLimits;
use wnm_core::manager::ProcessManager;

use super::ground::Ground;
use crate::Systemd;
use crate::conversation::Conversation;

/// The manager of the next run, which has these settings.
fn next(ground: &Ground, memory: Option<&str>) -> Systemd {
    let mut context = ground.context.clone();
    context.machine.fleet = FleetLimits {
        memory_max: memory.map(|text| text.parse().unwrap()),
        cpu_quota: None,
    };
    let talk = Arc::clone(&ground.systemd) as Arc<dyn Conversation>;
    let domain = ground.manager.domain.clone();
    Systemd::speaking(ground.manager.kind, context, domain, ground.units(), talk)
}

#[tokio::test]
async fn a_changed_limit_is_one_reload_at_the_next_run() {
    let ground = Ground::new();
    ground.added(1).await;
    let begun = ground.systemd.times("reload");
    let slice = || std::fs::read_to_string(ground.units().join("wnm.slice")).unwrap();
    assert!(!slice().contains("MemoryMax"));
    for _ in 0..2 {
        next(&ground, Some("2G")).prepare(&[]).await.unwrap();
        assert!(slice().ends_with("[Slice]\nMemoryMax=2G\n"), "{}", slice());
        assert_eq!(ground.systemd.times("reload"), begun + 1);
    }
    next(&ground, None).prepare(&[]).await.unwrap();
    assert!(!slice().contains("MemoryMax"));
    assert_eq!(ground.systemd.times("reload"), begun + 2);
}

#[tokio::test]
async fn a_slice_that_an_earlier_run_wrote_and_systemd_did_not_read_is_read() {
    let ground = Ground::new();
    ground.added(1).await;
    let begun = ground.systemd.times("reload");
    let killed = next(&ground, Some("2G"));
    assert!(killed.write_slice().await.unwrap());
    next(&ground, Some("2G")).prepare(&[]).await.unwrap();
    assert_eq!(ground.systemd.times("reload"), begun + 1);
}

#[tokio::test]
async fn without_nodes_there_is_no_slice_and_another_s_stays_as_it_is() {
    let ground = Ground::new();
    next(&ground, Some("2G")).prepare(&[]).await.unwrap();
    assert!(!ground.units().join("wnm.slice").exists());
    ground.write_unit("wnm.slice", "[Slice]\nMemoryMax=1G\n");
    next(&ground, Some("2G")).prepare(&[]).await.unwrap();
    next(&ground, Some("2G"))
        .add(&ground.node(1), &ground.binary("first"))
        .await
        .unwrap();
    let text = std::fs::read_to_string(ground.units().join("wnm.slice")).unwrap();
    assert_eq!(text, "[Slice]\nMemoryMax=1G\n");
    assert_eq!(ground.systemd.times("reload"), 1);
}
