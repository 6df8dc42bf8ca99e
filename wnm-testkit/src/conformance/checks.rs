//! One function per promise. Each panics if the manager breaks it.

use std::slice::from_ref;

use wnm_core::firewall::Opening;
use wnm_core::manager::{ManagerError, teardown};
use wnm_core::node::{Node, ProcessState};

use super::{Backend, added, only, recorded, started, state, wait_until};

/// Names that lead elsewhere, or mean something to a shell or a supervisor.
const HOSTILE_NAMES: [&str; 6] = [
    "",
    "../../etc/passwd",
    "-x",
    "two words",
    "line\nbreak",
    "$(touch x)",
];

/// Adding what is there succeeds and changes nothing.
pub async fn adding_twice_gives_the_same_node(backend: &dyn Backend) {
    let node = added(backend, 1).await;
    let again = backend
        .manager()
        .add(from_ref(&node), &backend.binary())
        .await;
    let again = recorded(&node, only(&node, again).expect("a second add"));
    assert_eq!(again, node);
    assert!(!backend.is_running(&node), "an add starts nothing");
    assert!(backend.has_data(&node) && backend.has_program(&node, &backend.binary()));
}

/// Starting what runs succeeds.
pub async fn starting_twice_leaves_one_that_runs(backend: &dyn Backend) {
    let node = started(backend, 1).await;
    let again = backend.manager().start(from_ref(&node)).await;
    only(&node, again).expect("a second start");
    assert!(backend.is_running(&node));
}

/// A stop leaves no process, and stopping what does not run succeeds.
pub async fn stopping_twice_leaves_no_process(backend: &dyn Backend) {
    let node = started(backend, 1).await;
    for _ in 0..2 {
        let stopped = backend.manager().stop(from_ref(&node)).await;
        only(&node, stopped).expect("a stop");
        assert!(!backend.is_running(&node), "a process outlives its stop");
        assert!(backend.has_data(&node), "a stop deletes nothing");
    }
}

/// A removal leaves neither process nor data, and removing what is gone succeeds.
pub async fn removing_twice_leaves_nothing(backend: &dyn Backend) {
    let node = started(backend, 1).await;
    let other = started(backend, 2).await;
    for _ in 0..2 {
        let removed = backend.manager().remove(from_ref(&node)).await;
        only(&node, removed).expect("a removal");
        assert!(!backend.has_data(&node), "data outlives its removal");
        assert!(!backend.is_running(&node), "a process outlives its removal");
    }
    assert!(backend.is_running(&other) && backend.has_data(&other));
}

/// An upgrade replaces the program and keeps a node as it is: stopped or running.
pub async fn an_upgrade_leaves_a_stopped_node_stopped_and_a_running_one_running(
    backend: &dyn Backend,
) {
    let (stopped, running) = (added(backend, 1).await, started(backend, 2).await);
    let nodes = [stopped.clone(), running.clone()];
    for _ in 0..2 {
        let newer = backend.newer_binary();
        for outcome in backend.manager().upgrade(&nodes, &newer).await {
            outcome.expect("an upgrade");
        }
        assert!(!backend.is_running(&stopped), "an upgrade starts nothing");
        assert!(backend.is_running(&running), "an upgraded node runs again");
        assert!(nodes.iter().all(|node| backend.has_program(node, &newer)));
    }
}

/// Every act gives one outcome per node, in order, and goes on past a failure.
pub async fn a_batch_has_an_outcome_per_node_in_order(backend: &dyn Backend) {
    let manager = backend.manager();
    let new = [3, 1, 2].map(|number| backend.node(number));
    let outcomes = manager.add(&new, &backend.binary()).await;
    assert_eq!(outcomes.len(), new.len(), "add");
    let mut nodes: Vec<Node> = Vec::new();
    for (node, outcome) in new.iter().zip(outcomes) {
        let added = outcome.expect("an add in a batch");
        assert_eq!(
            added.ports.node, node.ports.node,
            "outcomes are out of order"
        );
        nodes.push(recorded(node, added));
    }
    // A node that was never added cannot start, and stands in nobody's way.
    nodes.insert(1, backend.node(9));
    let outcomes = manager.start(&nodes).await;
    let started: Vec<bool> = outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(started, [true, false, true, true], "{outcomes:?}");
    nodes.remove(1);
    assert!(nodes.iter().all(|node| backend.is_running(node)));
    assert_eq!(manager.stop(&nodes).await.len(), nodes.len(), "stop");
    let upgraded = manager.upgrade(&nodes, &backend.newer_binary()).await;
    assert_eq!(upgraded.len(), nodes.len(), "upgrade");
    assert_eq!(manager.remove(&nodes).await.len(), nodes.len(), "remove");
    assert!(manager.start(&[]).await.is_empty(), "no nodes, no outcomes");
}

/// Statuses tell running nodes from stopped and removed ones.
pub async fn statuses_say_what_is_so(backend: &dyn Backend) {
    let (stopped, running) = (added(backend, 1).await, started(backend, 2).await);
    let both = [stopped.clone(), running.clone()];
    let states = backend.manager().statuses(&both).await;
    let states = states.expect("statuses");
    assert!(
        matches!(states.get(&running.id), Some(ProcessState::Running { .. })),
        "{states:?}"
    );
    assert!(
        matches!(
            states.get(&stopped.id),
            Some(ProcessState::Stopped | ProcessState::Missing)
        ),
        "{states:?}"
    );
    let removed = backend.manager().remove(from_ref(&running)).await;
    only(&running, removed).expect("a removal");
    let after = state(backend, &running).await;
    assert!(
        !matches!(after, Some(ProcessState::Running { .. })),
        "{after:?}"
    );
}

/// Nobody has seen a node that was never added, and asking creates nothing.
pub async fn a_node_that_was_never_added_does_not_run(backend: &dyn Backend) {
    let _other = started(backend, 1).await;
    let never = backend.node(9);
    let said = state(backend, &never).await;
    assert!(
        matches!(
            said,
            None | Some(ProcessState::Missing | ProcessState::Unknown(_))
        ),
        "{said:?}"
    );
    let stopped = backend.manager().stop(from_ref(&never)).await;
    only(&never, stopped).expect("a stop of what is not there");
    assert!(!backend.is_running(&never) && !backend.has_data(&never));
}

/// A node that died is not said to run, and a start brings it back.
pub async fn a_killed_node_is_seen_and_comes_back(backend: &dyn Backend) {
    let node = started(backend, 1).await;
    backend.kill(&node);
    if !backend.manager().policy().restarts_crashed {
        wait_until("the end of a killed node", || !backend.is_running(&node)).await;
        let said = state(backend, &node).await;
        assert!(
            !matches!(said, Some(ProcessState::Running { .. })),
            "{said:?}"
        );
    }
    let again = backend.manager().start(from_ref(&node)).await;
    only(&node, again).expect("a start after a crash");
    assert!(backend.is_running(&node));
}

/// A silent supervisor says of no node that it is stopped or missing, and acts fail.
pub async fn silence_is_not_stopped(backend: &dyn Backend) {
    let node = started(backend, 1).await;
    if !backend.silence() {
        return;
    }
    if let Ok(states) = backend.manager().statuses(from_ref(&node)).await {
        let said = states.get(&node.id);
        assert!(
            matches!(said, None | Some(ProcessState::Unknown(_))),
            "{said:?}"
        );
    }
    let stopped = only(&node, backend.manager().stop(from_ref(&node)).await);
    assert!(stopped.is_err() || !backend.is_running(&node));
    let removed = only(&node, backend.manager().remove(from_ref(&node)).await);
    assert!(removed.is_err(), "nobody knows whether it is gone");
}

/// Discovery finds what was added, with its place and its state.
pub async fn what_was_added_is_discovered(backend: &dyn Backend) {
    let nodes = [started(backend, 1).await, started(backend, 2).await];
    let found = backend.manager().discover().await.expect("discovery");
    if !backend.discovers() {
        assert!(found.is_empty(), "{found:?}");
        return;
    }
    for node in &nodes {
        let matching = found.iter().find(|found| found.root_dir == node.root_dir);
        let matching = matching.unwrap_or_else(|| panic!("{} is not found", node.service));
        assert_eq!(matching.service, node.service);
        assert_eq!(matching.binary, node.binary);
        assert!(
            matches!(matching.state, ProcessState::Running { .. }),
            "{:?}",
            matching.state
        );
    }
    assert_eq!(found.len(), nodes.len(), "{found:?}");
}

/// A name that no add gave starts nothing and harms nobody.
pub async fn hostile_names_are_refused(backend: &dyn Backend) {
    let (node, other) = (added(backend, 1).await, started(backend, 2).await);
    for name in HOSTILE_NAMES {
        let hostile = Node {
            service: name.to_owned(),
            ..node.clone()
        };
        if backend.finds_by_name() {
            let outcome = only(&hostile, backend.manager().start(from_ref(&hostile)).await);
            assert!(outcome.is_err(), "{name:?} was started");
            assert!(!backend.is_running(&node), "{name:?} started the node");
        }
        // What comes of these is the manager's to say; others are unharmed.
        let stopped = backend.manager().stop(from_ref(&hostile)).await;
        drop(only(&hostile, stopped));
        assert!(backend.is_running(&other), "{name:?} stopped another");
    }
}

/// A removal deletes no directory that wnm did not make, whatever is on record.
pub async fn directories_of_others_stay(backend: &dyn Backend) {
    let outside = tempfile::tempdir().expect("a directory");
    let precious = outside.path().join("precious");
    std::fs::write(&precious, "data").expect("a file");
    let node = added(backend, 1).await;
    let tricks = [
        outside.path().to_owned(),
        outside.path().join("."),
        node.root_dir
            .join("../..")
            .join(outside.path().strip_prefix("/").unwrap_or(outside.path())),
    ];
    for root_dir in tricks {
        let hostile = Node {
            binary: root_dir.join("antnode"),
            log_dir: Some(outside.path().to_owned()),
            root_dir,
            ..node.clone()
        };
        let removed = backend.manager().remove(from_ref(&hostile)).await;
        drop(only(&hostile, removed));
        assert!(
            precious.exists(),
            "{} was deleted",
            outside.path().display()
        );
    }
}

/// A node that cannot be stopped keeps its data.
pub async fn a_living_node_keeps_its_data(backend: &dyn Backend) {
    let node = started(backend, 1).await;
    if backend.make_unstoppable(&node) {
        let stopped = only(&node, backend.manager().stop(from_ref(&node)).await);
        assert!(stopped.is_err(), "a stop that stopped nothing");
    }
    let removed = only(&node, backend.manager().remove(from_ref(&node)).await);
    let lives = backend.is_running(&node);
    assert!(
        !lives || backend.has_data(&node),
        "deleted under a living node"
    );
    assert!(!lives || removed.is_err(), "{removed:?}");
}

/// A service that is not wnm's survives all acts and a teardown.
pub async fn services_of_others_stay(backend: &dyn Backend) {
    if !backend.add_foreign() {
        return;
    }
    let nodes = [started(backend, 1).await, started(backend, 2).await];
    let manager = backend.manager();
    for outcome in manager.stop(&nodes).await {
        outcome.expect("a stop");
    }
    only(&nodes[0], manager.remove(&nodes[..1]).await).expect("a removal");
    assert!(backend.has_foreign(), "a removal touched it");
    teardown(manager, &nodes).await.expect("a teardown");
    assert!(backend.has_foreign(), "a teardown touched it");
}

/// Questions, preparation and release leave nodes as they are, and what is unsupported says so.
pub async fn questions_and_release_touch_no_node(backend: &dyn Backend) {
    let (running, stopped) = (started(backend, 1).await, added(backend, 2).await);
    let nodes = [running.clone(), stopped.clone()];
    let manager = backend.manager();
    let policy = manager.policy();
    assert!(policy.batch >= 1);
    assert_eq!(manager.kind(), running.manager);
    for _ in 0..2 {
        manager.check().await.expect("a check");
        let openings = [Opening::of(&running)];
        manager.prepare(&openings).await.expect("a preparation");
        manager.statuses(&nodes).await.expect("statuses");
        manager.discover().await.expect("discovery");
        if let Err(error) = manager.events() {
            assert!(matches!(error, ManagerError::Unsupported { .. }), "{error}");
        }
        manager.release(&nodes).await.expect("a release");
    }
    assert!(backend.is_running(&running) && !backend.is_running(&stopped));
    assert!(nodes.iter().all(|node| backend.has_data(node)));
}

/// A teardown removes all nodes, and another one succeeds.
pub async fn teardown_leaves_nothing(backend: &dyn Backend) {
    let nodes = [
        started(backend, 1).await,
        added(backend, 2).await,
        started(backend, 3).await,
    ];
    for _ in 0..2 {
        teardown(backend.manager(), &nodes)
            .await
            .expect("a teardown");
        for node in &nodes {
            assert!(!backend.is_running(node), "{} runs", node.service);
            assert!(!backend.has_data(node), "{} has data", node.service);
        }
    }
}
