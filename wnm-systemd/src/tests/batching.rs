//! Many at once cost one of what is dear.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;
use wnm_core::manager::ProcessManager;
use wnm_core::node::ProcessState;

use super::ground::{Ground, PATIENCE};
use crate::reload::Shared;

#[tokio::test]
async fn a_thousand_states_are_one_question_and_one_more_where_nodes_rest() {
    let ground = Ground::new();
    let mut nodes: Vec<_> = (1..=1000).map(|number| ground.node(number)).collect();
    nodes[0].service = "mynode.service".to_owned();
    assert_eq!(ground.manager.statuses(&nodes).await.unwrap().len(), 1000);
    assert_eq!(
        ground.systemd.asked(),
        [
            "loaded antnode*.service mynode.service",
            "units antnode*.service mynode.service"
        ]
    );
}

#[tokio::test]
async fn nodes_that_run_are_not_looked_for_on_the_disk() {
    let ground = Ground::new();
    let node = ground.added(1).await;
    ground.manager.start(&node).await.unwrap();
    let before = ground.systemd.asked().len();
    let states = ground.manager.statuses(&[node]).await.unwrap();
    assert_eq!(
        states.into_values().collect::<Vec<_>>(),
        [ProcessState::Running { pid: None }]
    );
    assert_eq!(
        ground.systemd.asked()[before..],
        ["loaded antnode*.service"]
    );
}

#[tokio::test]
async fn nodes_added_at_once_share_reloads() {
    let ground = Ground::with(|systemd| systemd.gate = Some(Semaphore::new(0)));
    let binary = ground.binary("first");
    let adds: Vec<_> = (1..=10)
        .map(|number| {
            let (manager, node) = (Arc::clone(&ground.manager), ground.node(number));
            let binary = binary.clone();
            tokio::spawn(async move { manager.add(&node, &binary).await.map(drop) })
        })
        .collect();
    // The first reload is held until the others wait for the next. Another may have come just in time for it,
    // and another may come late.
    let joined = async {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        while ground.manager.reloading.waiting() < 8 {
            looks.tick().await;
        }
    };
    timeout(PATIENCE, joined).await.unwrap();
    ground.systemd.gate.as_ref().unwrap().add_permits(10);
    for add in adds {
        add.await.unwrap().unwrap();
    }
    let reloads = ground.systemd.times("reload");
    assert!((2..=3).contains(&reloads), "{reloads}");
}

#[tokio::test]
async fn a_teardown_stops_disables_and_reloads_once() {
    let ground = Ground::new();
    let mut nodes = Vec::new();
    for number in 1..=5 {
        let node = ground.added(number).await;
        ground.manager.start(&node).await.unwrap();
        nodes.push(node);
    }
    // One that is gone already is no obstacle.
    nodes.push(ground.node(6));
    let before = ground.systemd.asked().len();
    ground.manager.teardown(&nodes).await.unwrap();
    let asked = &ground.systemd.asked()[before..];
    let times = |verb: &str| asked.iter().filter(|words| words.starts_with(verb)).count();
    assert_eq!(
        (times("disable"), times("reload"), times("stop antnode")),
        (1, 1, 1),
        "{asked:?}"
    );
    assert!(nodes.iter().all(|node| !node.root_dir.exists()));
    assert_eq!(std::fs::read_dir(ground.units()).unwrap().count(), 0);
}

#[tokio::test]
async fn one_foreign_directory_keeps_no_other_node() {
    let ground = Ground::new();
    let mut odd = ground.added(1).await;
    let usual = ground.added(2).await;
    odd.root_dir = ground.dir.path().to_owned();
    let error = ground
        .manager
        .teardown(&[odd, usual.clone()])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("delete by hand"), "{error}");
    assert!(!usual.root_dir.exists() && ground.dir.path().exists());
}

#[tokio::test]
async fn who_arrives_while_one_runs_shares_the_next() {
    let shared = Arc::new(Shared::<u32, String>::new());
    let gate = Arc::new(Semaphore::new(0));
    let runs = Arc::new(AtomicUsize::new(0));
    let join = |item: u32| {
        let (shared, gate, runs) = (Arc::clone(&shared), Arc::clone(&gate), Arc::clone(&runs));
        tokio::spawn(async move {
            let work = |_: Vec<u32>| async {
                runs.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.unwrap().forget();
                Ok(())
            };
            shared.join(item, work).await
        })
    };
    let first = join(0);
    while runs.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let others: Vec<_> = (1..20).map(join).collect();
    // All others have had their turn to line up.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(2);
    first.await.unwrap().unwrap();
    for other in others {
        timeout(PATIENCE, other).await.unwrap().unwrap().unwrap();
    }
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn who_gives_up_in_the_middle_leaves_nobody_waiting() {
    let shared = Arc::new(Shared::<u32, String>::new());
    let begun = Arc::new(Semaphore::new(0));
    let leader = {
        let (shared, begun) = (Arc::clone(&shared), Arc::clone(&begun));
        tokio::spawn(async move {
            let never = |_: Vec<u32>| async {
                begun.add_permits(1);
                std::future::pending::<Result<(), String>>().await
            };
            shared.join(1, never).await
        })
    };
    begun.acquire().await.unwrap().forget();
    let follower = {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move { shared.join(2, |_| async { Err("heard".to_owned()) }).await })
    };
    tokio::task::yield_now().await;
    leader.abort();
    let heard = timeout(PATIENCE, follower).await.unwrap().unwrap();
    assert_eq!(heard, Err("heard".to_owned()));
}
