//! Concurrent calls share expensive requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;
use wnm_core::manager::ProcessManager;
use wnm_core::node::ProcessState;
use wnm_testkit::SingleNode;

use super::backend::{TIMEOUT, TestBackend};
use crate::batch::Batcher;

#[tokio::test]
async fn a_thousand_statuses_take_one_request_plus_one_for_idle_nodes() {
    let backend = TestBackend::new();
    let mut nodes: Vec<_> = (1..=1000).map(|number| backend.node(number)).collect();
    nodes[0].service = "mynode.service".to_owned();
    assert_eq!(backend.manager.statuses(&nodes).await.unwrap().len(), 1000);
    assert_eq!(
        backend.systemd.requests(),
        [
            "loaded antnode*.service mynode.service",
            "units antnode*.service mynode.service"
        ]
    );
}

#[tokio::test]
async fn running_nodes_need_no_listing_from_disk() {
    let backend = TestBackend::new();
    let node = backend.add_node(1).await;
    backend.manager.start_one(&node).await.unwrap();
    let before = backend.systemd.requests().len();
    let states = backend.manager.statuses(&[node]).await.unwrap();
    assert_eq!(
        states.into_values().collect::<Vec<_>>(),
        [ProcessState::Running { pid: None }]
    );
    assert_eq!(
        backend.systemd.requests()[before..],
        ["loaded antnode*.service"]
    );
}

#[tokio::test]
async fn concurrent_adds_share_reloads() {
    let backend = TestBackend::with(|systemd| systemd.gate = Some(Semaphore::new(0)));
    let binary = backend.binary("first");
    let adds: Vec<_> = (1..=10)
        .map(|number| {
            let (manager, node) = (Arc::clone(&backend.manager), backend.node(number));
            let binary = binary.clone();
            tokio::spawn(async move { manager.add_one(&node, &binary).await.map(drop) })
        })
        .collect();
    // Hold the first reload until the others wait for the next. One add may join the first reload,
    // and one may arrive late.
    let joined = async {
        let mut polls = tokio::time::interval(Duration::from_millis(5));
        while backend.manager.reload_batch.waiting() < 8 {
            polls.tick().await;
        }
    };
    timeout(TIMEOUT, joined).await.unwrap();
    backend.systemd.gate.as_ref().unwrap().add_permits(10);
    for add in adds {
        add.await.unwrap().unwrap();
    }
    let reloads = backend.systemd.times("reload");
    assert!((2..=3).contains(&reloads), "{reloads}");
}

#[tokio::test]
async fn teardown_stops_disables_and_reloads_once() {
    let backend = TestBackend::new();
    let mut nodes = Vec::new();
    for number in 1..=5 {
        let node = backend.add_node(number).await;
        backend.manager.start_one(&node).await.unwrap();
        nodes.push(node);
    }
    // A missing node does not block the others.
    nodes.push(backend.node(6));
    let before = backend.systemd.requests().len();
    backend.manager.teardown(&nodes).await.unwrap();
    let requests = &backend.systemd.requests()[before..];
    let times = |verb: &str| {
        requests
            .iter()
            .filter(|words| words.starts_with(verb))
            .count()
    };
    assert_eq!(
        (times("disable"), times("reload"), times("stop antnode")),
        (1, 1, 1),
        "{requests:?}"
    );
    assert!(nodes.iter().all(|node| !node.root_dir.exists()));
    assert_eq!(std::fs::read_dir(backend.units()).unwrap().count(), 0);
}

#[tokio::test]
async fn one_foreign_directory_does_not_block_other_nodes() {
    let backend = TestBackend::new();
    let mut odd = backend.add_node(1).await;
    let usual = backend.add_node(2).await;
    odd.root_dir = backend.dir.path().to_owned();
    let error = backend
        .manager
        .teardown(&[odd, usual.clone()])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("delete by hand"), "{error}");
    assert!(!usual.root_dir.exists() && backend.dir.path().exists());
}

#[tokio::test]
async fn callers_during_a_run_share_the_next() {
    let batcher = Arc::new(Batcher::<u32, String>::new());
    let gate = Arc::new(Semaphore::new(0));
    let runs = Arc::new(AtomicUsize::new(0));
    let join = |item: u32| {
        let (batcher, gate, runs) = (Arc::clone(&batcher), Arc::clone(&gate), Arc::clone(&runs));
        tokio::spawn(async move {
            let work = |_: Vec<u32>| async {
                runs.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.unwrap().forget();
                Ok(())
            };
            batcher.join(item, work).await
        })
    };
    let first = join(0);
    while runs.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let others: Vec<_> = (1..20).map(join).collect();
    // Give all others time to queue.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(2);
    first.await.unwrap().unwrap();
    for other in others {
        timeout(TIMEOUT, other).await.unwrap().unwrap().unwrap();
    }
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_cancelled_run_leaves_nobody_waiting() {
    let batcher = Arc::new(Batcher::<u32, String>::new());
    let started = Arc::new(Semaphore::new(0));
    let leader = {
        let (batcher, started) = (Arc::clone(&batcher), Arc::clone(&started));
        tokio::spawn(async move {
            let never = |_: Vec<u32>| async {
                started.add_permits(1);
                std::future::pending::<Result<(), String>>().await
            };
            batcher.join(1, never).await
        })
    };
    started.acquire().await.unwrap().forget();
    let follower = {
        let batcher = Arc::clone(&batcher);
        tokio::spawn(async move {
            batcher
                .join(2, |_| async { Err("failed".to_owned()) })
                .await
        })
    };
    tokio::task::yield_now().await;
    leader.abort();
    let result = timeout(TIMEOUT, follower).await.unwrap().unwrap();
    assert_eq!(result, Err("failed".to_owned()));
}
