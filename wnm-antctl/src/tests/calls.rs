//! What antctl is called with, and what is made of its answers.

use std::sync::atomic::{AtomicUsize, Ordering};

use wnm_core::kind::ManagerKind;
use wnm_core::manager::{ManagerContext, ManagerError, ProcessManager};
use wnm_core::node::ProcessState;

use super::ground::{End, Ground, data_dir, status, variable};

/// An antctl with one service in this state.
fn one(state: &'static str) -> Ground {
    let dir: std::sync::Arc<std::sync::OnceLock<std::path::PathBuf>> = Default::default();
    let known = dir.clone();
    let ground = Ground::with(move |args| match args.first().map(String::as_str) {
        Some("status") => End::Says(status(known.get().unwrap(), &[(1, state)])),
        _ => End::Says(String::new()),
    });
    dir.set(ground.dir.path().to_owned()).unwrap();
    ground
}

/// The same with `answer` for every call that is no question.
fn one_that(state: &'static str, answer: End) -> Ground {
    let dir: std::sync::Arc<std::sync::OnceLock<std::path::PathBuf>> = Default::default();
    let known = dir.clone();
    let ground = Ground::with(move |args| match args.first().map(String::as_str) {
        Some("status") => End::Says(status(known.get().unwrap(), &[(1, state)])),
        _ => answer.clone(),
    });
    dir.set(ground.dir.path().to_owned()).unwrap();
    ground
}

async fn added(kind: ManagerKind, settings: impl FnOnce(&mut ManagerContext)) -> String {
    let ground = Ground::told(kind, settings, |args| {
        match args.first().map(String::as_str) {
            Some("status") => End::Says(String::new()),
            _ => End::Fails("not now"),
        }
    });
    let refused = ground.manager.add(&ground.node(1), &ground.binary()).await;
    let told = refused.unwrap_err().to_string();
    match ground.calls().pop() {
        Some(call) => call,
        None => told.replace(ground.dir.path().to_str().unwrap(), "DIR"),
    }
}

#[tokio::test]
async fn an_add_says_where_everything_goes_and_the_network_last() {
    let plain = added(ManagerKind::ANTCTL_USER, |_| {}).await;
    insta::assert_snapshot!(plain, @"add --path /opt/antnode --data-dir-path DIR/nodes/antnode0001 --log-dir-path DIR/logs/antnode0001 --max-log-files 1 --max-archived-log-files 1 --node-port 55001 --metrics-port 13001 --rpc-port 30001 --no-upnp --rewards-address 0x00455d78f850b0358E8cea5be24d415E01E107CF evm-arbitrum-one");
    let zen = added(ManagerKind::ANTCTL_ZEN, |context| {
        context.launch.environment = Some("A=1 B='x y'".to_owned());
        context.launch.start_args = Some("--local --relay".to_owned());
        context.machine.antctl_version = Some("0.4.16".to_owned());
        context.machine.antctl_debug = true;
    })
    .await;
    insta::assert_snapshot!(zen, @"--debug add --version 0.4.16 --node-port 55001 --metrics-port 13001 --rpc-port 30001 --no-upnp --env A=1 --env B=x y --local --relay --rewards-address 0x00455d78f850b0358E8cea5be24d415E01E107CF evm-arbitrum-one");
    let sudo = added(ManagerKind::ANTCTL_SUDO, |context| {
        context.machine.antctl_version = Some("0.4.17".to_owned());
    })
    .await;
    assert!(
        sudo.contains("--path /opt/antnode") && sudo.contains("--user ant"),
        "{sudo}"
    );
    assert!(!sudo.contains("--version"), "{sudo}");
}

#[tokio::test]
async fn what_antctl_cannot_write_into_a_unit_is_refused() {
    for path in ["/my nodes", "/n\"", "/100%/n", "/$HOME/n", "/n\\x"] {
        let told = added(ManagerKind::ANTCTL_USER, |context| {
            context.paths.node_storage = context.paths.state.join(&path[1..]);
        })
        .await;
        assert!(
            told.contains("antctl cannot handle the path"),
            "{path}: {told}"
        );
    }
    let told = added(ManagerKind::ANTCTL_USER, |context| {
        context.launch.environment = Some("A='50%'".to_owned());
    })
    .await;
    assert!(
        told.contains("antctl cannot hand on the variable"),
        "{told}"
    );
}

#[tokio::test]
async fn an_add_that_was_cut_off_counts_when_the_service_is_there() {
    let calls = std::sync::Arc::new(AtomicUsize::new(0));
    let dir: std::sync::Arc<std::sync::OnceLock<std::path::PathBuf>> = Default::default();
    let (known, count) = (dir.clone(), calls.clone());
    let ground = Ground::with(move |args| match args.first().map(String::as_str) {
        Some("add") => {
            count.fetch_add(1, Ordering::Relaxed);
            End::Hangs
        }
        _ if count.load(Ordering::Relaxed) > 0 => {
            End::Says(status(known.get().unwrap(), &[(1, "Added")]))
        }
        _ => End::Says(String::new()),
    });
    dir.set(ground.dir.path().to_owned()).unwrap();
    let node = ground.node(1);
    let made = ground.manager.add(&node, &ground.binary()).await.unwrap();
    assert_eq!(made.service, "antnode1");
    assert_eq!(made.root_dir, data_dir(ground.dir.path(), 1));
    ground.manager.add(&node, &ground.binary()).await.unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 1, "it is there already");
}

#[tokio::test]
async fn an_add_of_which_nothing_is_known_stays_open() {
    let ground = Ground::with(|args| match args.first().map(String::as_str) {
        Some("add") => End::Hangs,
        _ => End::Says(String::new()),
    });
    let open = ground.manager.add(&ground.node(1), &ground.binary()).await;
    assert!(
        matches!(open, Err(ManagerError::TimedOut { .. })),
        "{open:?}"
    );
}

#[tokio::test]
async fn no_answer_is_asked_again_and_believed_of_an_empty_registry_only() {
    let ground = Ground::with(|_| End::Says("\n".to_owned()));
    let node = [ground.node(1)];
    let states = ground.manager.statuses(&node).await.unwrap();
    assert_eq!(states[&node[0].id], ProcessState::Missing);
    assert_eq!(ground.specs().len(), 2);
    std::fs::write(
        ground.dir.path().join("node_registry.json"),
        "{\"nodes\":[{}]}",
    )
    .unwrap();
    let silent = ground.manager.statuses(&node).await.unwrap_err();
    assert!(
        matches!(silent, ManagerError::Unreachable { .. }),
        "{silent}"
    );
    let broken = Ground::with(|_| End::Fails("EOF while parsing a string at line 1 column 500"));
    let told = broken
        .manager
        .statuses(&[broken.node(1)])
        .await
        .unwrap_err();
    assert!(
        told.leaves_it_open() && told.to_string().contains("EOF while parsing"),
        "{told}"
    );
}

#[tokio::test]
async fn a_registry_without_services_is_believed_once_their_directories_are_gone() {
    let ground = Ground::with(|_| End::Says("{\"nodes\": []}".to_owned()));
    let node = [ground.node(1)];
    let copy = ground.dir.path().join("node_registry.json.wnm");
    std::fs::write(&copy, status(ground.dir.path(), &[(1, "Running")])).unwrap();
    std::fs::remove_dir_all(&node[0].root_dir).unwrap();
    let state = async || ground.manager.statuses(&node).await;
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
async fn a_copy_is_made_of_a_registry_that_is_whole_and_says_the_same() {
    let ground = one("Running");
    let node = [ground.node(1)];
    let file = |name: &str| ground.dir.path().join(name);
    let (registry, copy) = (file("node_registry.json"), file("node_registry.json.wnm"));
    let text = |service| status(ground.dir.path(), &[(service, "Stopped")]);
    for other in [text(2), text(1)[..50].to_owned()] {
        std::fs::write(&registry, other).unwrap();
        drop(ground.manager.statuses(&node).await.unwrap());
        assert!(!copy.exists());
    }
    std::fs::write(&registry, text(1)).unwrap();
    drop(ground.manager.statuses(&node).await.unwrap());
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), text(1));

    for damaged in [&text(1)[..50], "", " ", "\u{0}\u{0}", "null"] {
        std::fs::write(&registry, damaged).unwrap();
        drop(ground.manager.statuses(&node).await.unwrap());
        assert_eq!(std::fs::read_to_string(&registry).unwrap(), text(1));
    }

    ground.manager.release(&node).await.unwrap();
    assert!(registry.exists() && !copy.exists());
}

#[tokio::test]
async fn a_start_is_judged_by_the_process() {
    for answer in [End::Hangs, End::Fails("Could not connect to RPC endpoint")] {
        let ground = one_that("Added", answer.clone());
        ground
            .manager
            .units
            .stand_in(
                &ground
                    .manager
                    .service(&ground.node(1))
                    .await
                    .unwrap()
                    .unwrap(),
            )
            .await
            .unwrap();
        let failed = ground.manager.start(&ground.node(1)).await.unwrap_err();
        assert_eq!(
            failed.leaves_it_open(),
            matches!(answer, End::Hangs),
            "{failed}"
        );
        assert_eq!(
            ground.calls(),
            ["-v start --interval 1 --service-name antnode1"]
        );
        ground.runs(1, 7);
        ground.manager.start(&ground.node(1)).await.unwrap();
        assert_eq!(ground.calls().len(), 1, "it runs already");
    }
    // Exit code 0, and the node ended a moment later.
    let ground = one("Running");
    let service = ground
        .manager
        .service(&ground.node(1))
        .await
        .unwrap()
        .unwrap();
    ground.manager.units.stand_in(&service).await.unwrap();
    let gone = ground.manager.start(&ground.node(1)).await.unwrap_err();
    assert!(gone.to_string().contains("no process is left"), "{gone}");
}

#[tokio::test]
async fn a_node_that_still_runs_was_not_stopped() {
    let ground = one("Running");
    ground.runs(1, 7);
    let told = ground.manager.stop(&ground.node(1)).await.unwrap_err();
    assert!(told.to_string().contains("still runs"), "{told}");
    let states = ground.manager.statuses(&[ground.node(1)]).await.unwrap();
    let running = ProcessState::Running { pid: Some(7) };
    assert_eq!(states.into_values().next(), Some(running));
}

#[tokio::test]
async fn an_upgrade_to_another_version_than_is_asked_for_is_refused() {
    let ground = Ground::told(
        ManagerKind::ANTCTL_USER,
        |context| context.machine.antctl_version = Some("0.4.16".to_owned()),
        |_| End::Says(String::new()),
    );
    let told = ground
        .manager
        .upgrade(&ground.node(1), &ground.binary())
        .await;
    let told = told.unwrap_err().to_string();
    assert!(told.contains("--antctl-version says 0.4.16"), "{told}");
    assert!(ground.specs().is_empty());
}

#[tokio::test]
async fn a_stopped_node_is_upgraded_without_being_started() {
    let ground = one("Stopped");
    let node = ground.node(1);
    let (old, new) = (node.binary.clone(), ground.dir.path().join("antnode"));
    std::fs::create_dir_all(&node.root_dir).unwrap();
    std::fs::write(&old, "old").unwrap();
    std::fs::write(&new, "new").unwrap();
    let to = wnm_core::program::NodeBinary {
        path: new,
        ..ground.binary()
    };
    // This antctl says that it did and does nothing.
    let told = ground
        .manager
        .upgrade(&node, &to)
        .await
        .unwrap_err()
        .to_string();
    assert!(told.contains("left the old program in place"), "{told}");
    std::fs::write(&old, "new").unwrap();
    ground.manager.upgrade(&node, &to).await.unwrap();
    let call = "-v upgrade --path DIR/antnode --do-not-start --interval 1 --service-name antnode1";
    assert_eq!(ground.calls(), [call, call]);
}

#[tokio::test]
async fn every_call_has_its_variables_and_a_deadline_that_grows_with_the_fleet() {
    let ground = one("Stopped");
    ground.manager.stop(&ground.node(1)).await.unwrap();
    let few = ground.specs();
    assert!(few.iter().all(|spec| variable(spec, "RUST_BACKTRACE")));
    let registry = ground.dir.path().join("node_registry.json");
    std::fs::write(registry, vec![b' '; 100_000]).unwrap();
    ground.manager.stop(&ground.node(1)).await.unwrap();
    let many = ground.specs().pop().unwrap();
    assert!(many.deadline > few.last().unwrap().deadline);
    assert!(many.output_limit > wnm_core::command::OUTPUT_LIMIT);
}
