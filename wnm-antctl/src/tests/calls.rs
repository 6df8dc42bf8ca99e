//! Which calls the manager makes, and how it interprets the replies.

use std::sync::atomic::{AtomicUsize, Ordering};

use wnm_core::kind::ManagerKind;
use wnm_core::machine::ConfigValue;
use wnm_core::manager::{ManagerContext, ManagerError, ProcessManager};
use wnm_core::node::ProcessState;
use wnm_testkit::SingleNode;

use super::backend::{Reply, TestBackend, data_dir, status, variable};

/// An antctl with one service in this state.
fn one_service(state: &'static str) -> TestBackend {
    let dir: std::sync::Arc<std::sync::OnceLock<std::path::PathBuf>> = Default::default();
    let known_dir = dir.clone();
    let backend = TestBackend::with(move |args| match args.first().map(String::as_str) {
        Some("status") => Reply::Prints(status(known_dir.get().unwrap(), &[(1, state)])),
        _ => Reply::Prints(String::new()),
    });
    dir.set(backend.dir.path().to_owned()).unwrap();
    backend
}

/// As [`one_service`], with `answer` for every call except queries.
fn one_service_replying(state: &'static str, answer: Reply) -> TestBackend {
    let dir: std::sync::Arc<std::sync::OnceLock<std::path::PathBuf>> = Default::default();
    let known_dir = dir.clone();
    let backend = TestBackend::with(move |args| match args.first().map(String::as_str) {
        Some("status") => Reply::Prints(status(known_dir.get().unwrap(), &[(1, state)])),
        _ => answer.clone(),
    });
    dir.set(backend.dir.path().to_owned()).unwrap();
    backend
}

async fn add_call(kind: ManagerKind, settings: impl FnOnce(&mut ManagerContext)) -> String {
    let backend = TestBackend::with_settings(kind, settings, |args| {
        match args.first().map(String::as_str) {
            Some("status") => Reply::Prints(String::new()),
            _ => Reply::Fails("not now"),
        }
    });
    let result = backend
        .manager
        .add_one(&backend.node(1), &backend.binary())
        .await;
    let message = result.unwrap_err().to_string();
    match backend.calls().pop() {
        Some(call) => call,
        None => message.replace(backend.dir.path().to_str().unwrap(), "DIR"),
    }
}

#[tokio::test]
async fn add_passes_all_paths_and_the_network_last() {
    let plain = add_call(crate::USER, |_| {}).await;
    insta::assert_snapshot!(plain, @"add --path /opt/antnode --data-dir-path DIR/nodes/antnode0001 --log-dir-path DIR/logs/antnode0001 --max-log-files 1 --max-archived-log-files 1 --node-port 55001 --metrics-port 13001 --rpc-port 30001 --no-upnp --rewards-address 0x00455d78f850b0358E8cea5be24d415E01E107CF evm-arbitrum-one");
    let zen = add_call(crate::ZEN, |context| {
        context.launch.environment = Some("A=1 B='x y'".to_owned());
        context.launch.start_args = Some("--local --relay".to_owned());
        context
            .machine
            .manager_settings
            .set("antctl_version", "0.4.16".into());
        context
            .machine
            .manager_settings
            .set("antctl_debug", ConfigValue::Bool(true));
    })
    .await;
    insta::assert_snapshot!(zen, @"--debug add --version 0.4.16 --node-port 55001 --metrics-port 13001 --rpc-port 30001 --no-upnp --env A=1 --env B=x y --local --relay --rewards-address 0x00455d78f850b0358E8cea5be24d415E01E107CF evm-arbitrum-one");
    let sudo = add_call(crate::SUDO, |context| {
        context
            .machine
            .manager_settings
            .set("antctl_version", "0.4.17".into());
    })
    .await;
    assert!(
        sudo.contains("--path /opt/antnode") && sudo.contains("--user ant"),
        "{sudo}"
    );
    assert!(!sudo.contains("--version"), "{sudo}");
}

#[tokio::test]
async fn add_refuses_what_antctl_cannot_write_into_a_unit() {
    for path in ["/my nodes", "/n\"", "/100%/n", "/$HOME/n", "/n\\x"] {
        let message = add_call(crate::USER, |context| {
            context.paths.node_storage = context.paths.state.join(&path[1..]);
        })
        .await;
        assert!(
            message.contains("antctl cannot handle the path"),
            "{path}: {message}"
        );
    }
    let message = add_call(crate::USER, |context| {
        context.launch.environment = Some("A='50%'".to_owned());
    })
    .await;
    assert!(
        message.contains("antctl cannot pass on the variable"),
        "{message}"
    );
}

#[tokio::test]
async fn an_interrupted_add_counts_if_the_service_exists() {
    let calls = std::sync::Arc::new(AtomicUsize::new(0));
    let dir: std::sync::Arc<std::sync::OnceLock<std::path::PathBuf>> = Default::default();
    let (known_dir, count) = (dir.clone(), calls.clone());
    let backend = TestBackend::with(move |args| match args.first().map(String::as_str) {
        Some("add") => {
            count.fetch_add(1, Ordering::Relaxed);
            Reply::Hangs
        }
        _ if count.load(Ordering::Relaxed) > 0 => {
            Reply::Prints(status(known_dir.get().unwrap(), &[(1, "Added")]))
        }
        _ => Reply::Prints(String::new()),
    });
    dir.set(backend.dir.path().to_owned()).unwrap();
    let node = backend.node(1);
    let made = backend
        .manager
        .add_one(&node, &backend.binary())
        .await
        .unwrap();
    assert_eq!(made.service, "antnode1");
    assert_eq!(made.root_dir, data_dir(backend.dir.path(), 1));
    backend
        .manager
        .add_one(&node, &backend.binary())
        .await
        .unwrap();
    assert_eq!(
        calls.load(Ordering::Relaxed),
        1,
        "the service already exists"
    );
}

#[tokio::test]
async fn an_add_with_unknown_outcome_is_reported_as_unknown() {
    let backend = TestBackend::with(|args| match args.first().map(String::as_str) {
        Some("add") => Reply::Hangs,
        _ => Reply::Prints(String::new()),
    });
    let unknown = backend
        .manager
        .add_one(&backend.node(1), &backend.binary())
        .await;
    assert!(
        matches!(unknown, Err(ManagerError::TimedOut { .. })),
        "{unknown:?}"
    );
}

#[tokio::test]
async fn an_empty_answer_is_retried_and_accepted_only_for_an_empty_registry() {
    let backend = TestBackend::with(|_| Reply::Prints("\n".to_owned()));
    let node = [backend.node(1)];
    let states = backend.manager.statuses(&node).await.unwrap();
    assert_eq!(states[&node[0].id], ProcessState::Missing);
    assert_eq!(backend.specs().len(), 2);
    std::fs::write(
        backend.dir.path().join("node_registry.json"),
        "{\"nodes\":[{}]}",
    )
    .unwrap();
    let unreachable = backend.manager.statuses(&node).await.unwrap_err();
    assert!(
        matches!(unreachable, ManagerError::Unreachable { .. }),
        "{unreachable}"
    );
    let broken =
        TestBackend::with(|_| Reply::Fails("EOF while parsing a string at line 1 column 500"));
    let message = broken
        .manager
        .statuses(&[broken.node(1)])
        .await
        .unwrap_err();
    assert!(
        message.leaves_it_open() && message.to_string().contains("EOF while parsing"),
        "{message}"
    );
}

#[tokio::test]
async fn an_empty_registry_is_accepted_once_the_node_directories_are_gone() {
    let backend = TestBackend::with(|_| Reply::Prints("{\"nodes\": []}".to_owned()));
    let node = [backend.node(1)];
    let copy = backend.dir.path().join("node_registry.json.wnm");
    std::fs::write(&copy, status(backend.dir.path(), &[(1, "Running")])).unwrap();
    std::fs::remove_dir_all(&node[0].root_dir).unwrap();
    let state = async || backend.manager.statuses(&node).await;
    assert_eq!(
        state().await.unwrap()[&node[0].id],
        ProcessState::Missing,
        "a reset by hand"
    );
    std::fs::create_dir_all(&node[0].root_dir).unwrap();
    let lost = state().await.unwrap_err();
    assert!(lost.leaves_it_open(), "{lost}");
    assert!(lost.to_string().contains("has lost all services"), "{lost}");
    std::fs::remove_file(&copy).unwrap();
    assert_eq!(state().await.unwrap()[&node[0].id], ProcessState::Missing);
}

#[tokio::test]
async fn only_a_complete_registry_that_matches_the_answer_is_backed_up() {
    let backend = one_service("Running");
    let node = [backend.node(1)];
    let file = |name: &str| backend.dir.path().join(name);
    let (registry, copy) = (file("node_registry.json"), file("node_registry.json.wnm"));
    let text = |service| status(backend.dir.path(), &[(service, "Stopped")]);
    for other in [text(2), text(1)[..50].to_owned()] {
        std::fs::write(&registry, other).unwrap();
        drop(backend.manager.statuses(&node).await.unwrap());
        assert!(!copy.exists());
    }
    std::fs::write(&registry, text(1)).unwrap();
    drop(backend.manager.statuses(&node).await.unwrap());
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), text(1));

    for damaged in [&text(1)[..50], "", " ", "\u{0}\u{0}", "null"] {
        std::fs::write(&registry, damaged).unwrap();
        drop(backend.manager.statuses(&node).await.unwrap());
        assert_eq!(std::fs::read_to_string(&registry).unwrap(), text(1));
    }

    backend.manager.release(&node).await.unwrap();
    assert!(registry.exists() && !copy.exists());
}

#[tokio::test]
async fn the_process_decides_whether_a_start_succeeded() {
    for answer in [
        Reply::Hangs,
        Reply::Fails("Could not connect to RPC endpoint"),
    ] {
        let backend = one_service_replying("Added", answer.clone());
        backend
            .manager
            .units
            .ensure_exists(
                &backend
                    .manager
                    .find_service(&backend.node(1))
                    .await
                    .unwrap()
                    .unwrap(),
            )
            .await
            .unwrap();
        let failed = backend
            .manager
            .start_one(&backend.node(1))
            .await
            .unwrap_err();
        assert_eq!(
            failed.leaves_it_open(),
            matches!(answer, Reply::Hangs),
            "{failed}"
        );
        assert_eq!(
            backend.calls(),
            ["-v start --interval 1 --service-name antnode1"]
        );
        backend.add_process(1, 7);
        backend.manager.start_one(&backend.node(1)).await.unwrap();
        assert_eq!(backend.calls().len(), 1, "it runs already");
    }
    // Exit code 0, and the node exited a moment later.
    let backend = one_service("Running");
    let service = backend
        .manager
        .find_service(&backend.node(1))
        .await
        .unwrap()
        .unwrap();
    backend.manager.units.ensure_exists(&service).await.unwrap();
    let gone = backend
        .manager
        .start_one(&backend.node(1))
        .await
        .unwrap_err();
    assert!(gone.to_string().contains("no process runs"), "{gone}");
}

#[tokio::test]
async fn stop_fails_if_the_node_still_runs() {
    let backend = one_service("Running");
    backend.add_process(1, 7);
    let message = backend
        .manager
        .stop_one(&backend.node(1))
        .await
        .unwrap_err();
    assert!(message.to_string().contains("still runs"), "{message}");
    let states = backend.manager.statuses(&[backend.node(1)]).await.unwrap();
    let running = ProcessState::Running { pid: Some(7) };
    assert_eq!(states.into_values().next(), Some(running));
}

#[tokio::test]
async fn an_upgrade_to_a_version_other_than_antctl_version_is_refused() {
    let backend = TestBackend::with_settings(
        crate::USER,
        |context| {
            context
                .machine
                .manager_settings
                .set("antctl_version", "0.4.16".into())
        },
        |_| Reply::Prints(String::new()),
    );
    let message = backend
        .manager
        .upgrade_one(&backend.node(1), &backend.binary())
        .await;
    let message = message.unwrap_err().to_string();
    assert!(
        message.contains("--antctl-version says 0.4.16"),
        "{message}"
    );
    assert!(backend.specs().is_empty());
}

#[tokio::test]
async fn a_stopped_node_is_upgraded_without_being_started() {
    let backend = one_service("Stopped");
    let node = backend.node(1);
    let (old, new) = (node.binary.clone(), backend.dir.path().join("antnode"));
    std::fs::create_dir_all(&node.root_dir).unwrap();
    std::fs::write(&old, "old").unwrap();
    std::fs::write(&new, "new").unwrap();
    let to = wnm_core::program::NodeBinary {
        path: new,
        ..backend.binary()
    };
    // This antctl claims success and does nothing.
    let message = backend
        .manager
        .upgrade_one(&node, &to)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("left the old program in place"),
        "{message}"
    );
    std::fs::write(&old, "new").unwrap();
    backend.manager.upgrade_one(&node, &to).await.unwrap();
    let call = "-v upgrade --path DIR/antnode --do-not-start --interval 1 --service-name antnode1";
    assert_eq!(backend.calls(), [call, call]);
}

#[tokio::test]
async fn every_call_sets_variables_and_a_deadline_that_grows_with_the_fleet() {
    let backend = one_service("Stopped");
    backend.manager.stop_one(&backend.node(1)).await.unwrap();
    let few = backend.specs();
    assert!(few.iter().all(|spec| variable(spec, "RUST_BACKTRACE")));
    let registry = backend.dir.path().join("node_registry.json");
    std::fs::write(registry, vec![b' '; 100_000]).unwrap();
    backend.manager.stop_one(&backend.node(1)).await.unwrap();
    let many = backend.specs().pop().unwrap();
    assert!(many.deadline > few.last().unwrap().deadline);
    assert!(many.output_limit > wnm_core::command::OUTPUT_LIMIT);
}
