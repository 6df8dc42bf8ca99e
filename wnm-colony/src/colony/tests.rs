//! What cannot be provoked with a real supervisor: one that does not answer, that answers too late, that
//! refuses in the middle.

mod containers;
mod scripted;
mod settings;

use std::path::PathBuf;
use std::sync::Arc;

use semver::Version;
use tempfile::TempDir;

use self::scripted::{Scripted, Trouble};
use super::{Colony, ColonyError, CycleOptions, Environment};
use crate::store::{EventQuery, Store};
use wnm_config::{Layers, MachineFacts, OptionTable};
use wnm_core::clock::MockClock;
use wnm_core::command::MockCommandRunner;
use wnm_core::cycle::{CycleReport, CycleStatus};
use wnm_core::decide::{ForcedAction, ForcedRequest};
use wnm_core::firewall::MockFirewall;
use wnm_core::id::NodeId;
use wnm_core::machine::{Machine, MachineLoad};
use wnm_core::node::NodeReport;
use wnm_core::node::ProbeResult;
use wnm_core::node::{DesiredState, Node, ObservedState, Status};
use wnm_core::probe::{Counters, MachineReading, MockMachineProbe, MockNodeProbe};
use wnm_core::program::MockNodeProgram;
use wnm_core::quantity::{Seconds, UnixTime};
use wnm_core::registry::{ManagerRegistry, ProgramRegistry};
use wnm_core::testing::MANAGER;
use wnm_programs::AntnodeFactory;

const NOW: UnixTime = UnixTime(1_763_000_000);

struct Setting {
    dir: TempDir,
    manager: Arc<Scripted>,
    machine: Machine,
}

impl Setting {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let storage = dir.path().join("nodes");
        let given = [
            ("rewards_address", "faucet"),
            ("node_storage", storage.to_str().unwrap()),
            ("node_cap", "3"),
            ("delay_start", "0"),
            ("max_concurrent_starts", "3"),
            ("max_concurrent_removals", "3"),
            ("max_concurrent_operations", "3"),
            // Below what the kernel gives to clients, and not the default, which real nodes may have.
            ("port_start", "21"),
            ("metrics_port_start", "22"),
            ("rpc_port_start", "23"),
        ];
        let facts = MachineFacts {
            cpu_count: 4,
            home: Some(dir.path().to_owned()),
            default_manager: MANAGER,
        };
        let machine = Layers::new(OptionTable::new(&ManagerRegistry::new()))
            .command_line(given)
            .initial_machine(&facts)
            .unwrap();
        let manager = Arc::new(Scripted::new(storage));
        Self {
            dir,
            manager,
            machine,
        }
    }

    fn db(&self) -> PathBuf {
        self.dir.path().join("colony.db")
    }

    fn environment(&self) -> Environment {
        let mut program = MockNodeProgram::new();
        program
            .expect_version()
            .returning(|_| Ok(Version::new(0, 4, 17)));
        program.expect_name().return_const("antnode".to_owned());
        program
            .expect_network()
            .return_const("evm-arbitrum-one".to_owned());
        let mut nodes = MockNodeProbe::new();
        nodes.expect_survey().returning(|_, _| Default::default());
        let mut machine = MockMachineProbe::new();
        machine
            .expect_boot_id()
            .returning(|| Ok("one boot".to_owned()));
        machine.expect_cpu_count().return_const(4u32);
        machine.expect_measure().returning(|_, _, _| {
            Ok(MachineReading {
                load: MachineLoad::default(),
                counters: Counters::default(),
            })
        });
        let mut clock = MockClock::new();
        clock.expect_now().return_const(NOW);
        let manager = Arc::clone(&self.manager);
        let managers = ManagerRegistry::new().with_kind(MANAGER, move |_, _| {
            let manager: Arc<dyn wnm_core::manager::ProcessManager> = manager.clone();
            Ok(manager)
        });
        Environment::system(managers, ProgramRegistry::new(AntnodeFactory))
            .program(Arc::new(program))
            .probe(Arc::new(nodes))
            .machine_probe(Arc::new(machine))
            .clock(Arc::new(clock))
            .runner(Arc::new(MockCommandRunner::new()))
            .firewall(Arc::new(MockFirewall::new()))
            .home(Some(self.dir.path().to_owned()))
    }

    async fn colony(&self) -> Colony {
        Colony::init(&self.db(), self.machine.clone(), self.environment())
            .await
            .unwrap()
    }
}

async fn cycle(colony: &mut Colony) -> CycleReport {
    let report = colony.cycle(&CycleOptions::default()).await.unwrap();
    assert_eq!(report.nodes, colony.nodes().await.unwrap());
    report
}

async fn grown(setting: &Setting) -> Colony {
    let mut colony = setting.colony().await;
    let report = cycle(&mut colony).await;
    assert_eq!(report.status, CycleStatus::AddedNode);
    assert_eq!(cycle(&mut colony).await.status, CycleStatus::Idle);
    colony
}

fn statuses(nodes: &[Node]) -> Vec<Status> {
    nodes.iter().map(Node::status).collect()
}

async fn actions(colony: &Colony) -> Vec<(String, &'static str)> {
    let query = EventQuery {
        since: None,
        node: None,
        after: None,
        limit: 1000,
    };
    let events = colony.events(&query).await.unwrap();
    events
        .into_iter()
        .map(|event| (event.kind.action().into_owned(), event.outcome.as_str()))
        .collect()
}

#[tokio::test]
async fn a_silent_supervisor_makes_nodes_unknown_and_nothing_is_done() {
    let setting = Setting::new();
    let mut colony = grown(&setting).await;
    setting.manager.trouble(Trouble::Unreachable);
    let before = setting.manager.calls();

    let report = cycle(&mut colony).await;
    assert_eq!(report.status, CycleStatus::Idle);
    assert_eq!(statuses(&report.nodes), [Status::Unknown; 3]);
    assert_eq!(
        setting.manager.calls(),
        before,
        "an act against nodes nobody knows of"
    );
    assert!(
        report
            .nodes
            .iter()
            .all(|node| node.desired().state == DesiredState::Running)
    );
    for action in [ForcedAction::Stop, ForcedAction::Remove, ForcedAction::Add] {
        let request = ForcedRequest {
            action,
            nodes: Vec::new(),
            count: 1,
        };
        let refused = colony.force(&request, &CycleOptions::default()).await;
        assert!(
            matches!(refused, Err(ColonyError::Refused(_))),
            "{action:?}"
        );
    }
    assert_eq!(setting.manager.calls(), before);

    setting.manager.trouble(Trouble::None);
    let report = cycle(&mut colony).await;
    assert_eq!(statuses(&report.nodes), [Status::Running; 3]);
}

#[tokio::test]
async fn a_foreign_listener_is_told_of_once_a_day() {
    let setting = Setting::new();
    let colony = grown(&setting).await;
    let node = colony.nodes().await.unwrap().remove(0).id;
    colony.close().await.unwrap();
    setting.manager.kill_all();
    setting.manager.trouble(Trouble::StartsFail);
    let told_until = async |now| {
        let mut colony = Colony::open(&setting.db(), watched(&setting, node, now))
            .await
            .unwrap();
        let _report = cycle(&mut colony).await;
        let query = EventQuery {
            since: None,
            node: Some(node),
            after: None,
            limit: 1000,
        };
        let events = colony.events(&query).await.unwrap();
        colony.close().await.unwrap();
        let foreign = events
            .iter()
            .filter(|event| event.kind.action() == "foreign-listener");
        foreign.count()
    };
    let day = Seconds(86_400);
    assert_eq!(told_until(NOW).await, 1);
    assert_eq!(told_until(NOW.plus(Seconds(60))).await, 1);
    assert_eq!(told_until(NOW.plus(day)).await, 1);
    assert_eq!(told_until(NOW.plus(day).plus(Seconds(1))).await, 2);
    assert_eq!(told_until(NOW.plus(day).plus(Seconds(60))).await, 2);
}

/// The environment at that time, with another node at the metrics port of this one.
fn watched(setting: &Setting, node: NodeId, now: UnixTime) -> Environment {
    let mut nodes = MockNodeProbe::new();
    nodes.expect_survey().returning(move |_, _| {
        let report = NodeReport {
            peer_id: Some("12D3KooWForeign".to_owned()),
            ..NodeReport::default()
        };
        [(node, ProbeResult::Answered(Box::new(report)))].into()
    });
    let mut clock = MockClock::new();
    clock.expect_now().return_const(now);
    setting
        .environment()
        .probe(Arc::new(nodes))
        .clock(Arc::new(clock))
}

#[tokio::test]
async fn a_start_that_timed_out_is_open_and_taken_up_again() {
    let setting = Setting::new();
    let mut colony = grown(&setting).await;
    setting.manager.kill_all();
    setting.manager.trouble(Trouble::StartsTimeOut);
    let report = cycle(&mut colony).await;
    let open = report
        .nodes
        .iter()
        .filter(|n| n.transition().is_some_and(|t| !t.acted))
        .count();
    assert_eq!(open, 3);
    assert!(
        actions(&colony)
            .await
            .contains(&("start".to_owned(), "open"))
    );

    setting.manager.trouble(Trouble::None);
    let report = cycle(&mut colony).await;
    assert_eq!(report.status, CycleStatus::Resumed);
    assert_eq!(
        statuses(&cycle(&mut colony).await.nodes),
        [Status::Running; 3]
    );
}

#[tokio::test]
async fn a_node_that_cannot_be_started_is_taken_back_when_it_is_new() {
    let setting = Setting::new();
    let mut colony = setting.colony().await;
    setting.manager.trouble(Trouble::StartsFail);
    let report = cycle(&mut colony).await;
    assert_eq!(report.status, CycleStatus::Error);
    assert_eq!(report.nodes, []);
    assert!(setting.manager.is_empty(), "what was made of it stayed");
    assert!(report.results.iter().all(|result| {
        result
            .error
            .as_deref()
            .is_some_and(|error| error.contains("no luck"))
    }));
}

#[tokio::test]
async fn a_node_that_does_not_start_waits_longer_each_time() {
    let setting = Setting::new();
    let mut colony = grown(&setting).await;
    setting.manager.kill_all();
    setting.manager.trouble(Trouble::StartsFail);
    assert_eq!(cycle(&mut colony).await.status, CycleStatus::Error);
    // The clock stands still, so the wait after the first failure is not over.
    let report = cycle(&mut colony).await;
    assert_eq!(report.status, CycleStatus::Idle);
    assert!(report.nodes.iter().all(|node| node.failed_starts() == 1));
    assert!(
        report
            .nodes
            .iter()
            .all(|node| node.desired().state == DesiredState::Running)
    );
}

#[tokio::test]
async fn a_manager_that_panics_fails_its_steps_and_they_are_resumed() {
    let setting = Setting::new();
    let mut colony = grown(&setting).await;
    setting.manager.kill_all();
    setting.manager.trouble(Trouble::StartsPanic);
    let report = cycle(&mut colony).await;
    assert_eq!(report.status, CycleStatus::Error);
    assert_eq!(report.results.len(), report.plan.steps.len());
    for result in &report.results {
        assert_eq!(
            result.error.as_deref(),
            Some("the manager panicked: no luck at all")
        );
    }
    let begun = |node: &&Node| node.transition().is_some_and(|step| !step.acted);
    assert_eq!(report.nodes.iter().filter(begun).count(), 3);
    let failed = ("start".to_owned(), "failed");
    assert!(actions(&colony).await.contains(&failed));

    setting.manager.trouble(Trouble::None);
    assert_eq!(cycle(&mut colony).await.status, CycleStatus::Resumed);
    let report = cycle(&mut colony).await;
    assert_eq!(statuses(&report.nodes), [Status::Running; 3]);
}

#[tokio::test]
async fn a_teardown_that_fails_keeps_the_rows_of_what_is_left() {
    let setting = Setting::new();
    let mut colony = grown(&setting).await;
    let unconfirmed = colony.teardown(false).await;
    assert!(matches!(
        unconfirmed,
        Err(ColonyError::NotConfirmed { nodes: 3 })
    ));
    // Numbers whose ports something else on this machine holds are passed over.
    let stubborn = colony.nodes().await.unwrap()[1].id;
    setting
        .manager
        .trouble(Trouble::RemovalsFailFor(stubborn.get()));
    let error = colony.teardown(true).await.unwrap_err();
    assert!(
        matches!(
            error,
            ColonyError::Teardown {
                left: 1,
                total: 3,
                ..
            }
        ),
        "{error}"
    );
    let left = colony.nodes().await.unwrap();
    let ids: Vec<NodeId> = left.iter().map(|node| node.id).collect();
    assert_eq!(ids, [stubborn]);
    assert_eq!(left[0].observed().state, ObservedState::Running);
    assert_eq!(left[0].desired().state, DesiredState::Absent);

    setting.manager.trouble(Trouble::None);
    assert_eq!(colony.teardown(true).await.unwrap().removed, 1);
    assert_eq!(colony.nodes().await.unwrap(), []);
}

#[tokio::test]
async fn the_second_plan_after_the_first_is_carried_out_is_empty() {
    let setting = Setting::new();
    let colony = grown(&setting).await;
    let (_, plan) = colony.plan(&CycleOptions::default()).await.unwrap();
    assert_eq!(plan.steps, []);
}

#[tokio::test]
async fn one_colony_is_worked_on_by_one_at_a_time_and_viewed_by_any() {
    let setting = Setting::new();
    let colony = grown(&setting).await;
    let second = Colony::open(&setting.db(), setting.environment()).await;
    assert!(matches!(second, Err(ColonyError::Lock(_))));
    let view = Colony::view(&setting.db(), setting.environment())
        .await
        .unwrap();
    assert_eq!(view.nodes().await.unwrap().len(), 3);
    view.close().await.unwrap();
    colony.close().await.unwrap();
    Colony::open(&setting.db(), setting.environment())
        .await
        .unwrap()
        .close()
        .await
        .unwrap();
}

#[tokio::test]
async fn tables_without_a_machine_become_a_colony() {
    let setting = Setting::new();
    Store::create(&setting.db())
        .await
        .unwrap()
        .close()
        .await
        .unwrap();
    let opened = Colony::open(&setting.db(), setting.environment()).await;
    assert!(matches!(opened, Err(ColonyError::NotInitialized(_))));
    grown(&setting).await.close().await.unwrap();
    let again = Colony::init(
        &setting.db(),
        setting.machine.clone(),
        setting.environment(),
    )
    .await;
    assert!(matches!(again, Err(ColonyError::AlreadyInitialized(_))));
}

#[tokio::test]
async fn a_released_colony_leaves_a_copy_of_its_database_and_no_mark() {
    let setting = Setting::new();
    let colony = grown(&setting).await;
    let storage = setting.machine.node_storage.clone();
    assert!(crate::observe::is_marked(&storage));
    let calls = setting.manager.calls();
    let released = colony.release().await.unwrap();
    assert_eq!(released.nodes.len(), 3);
    assert_eq!(setting.manager.calls(), calls, "a node was touched");
    assert!(!crate::observe::is_marked(&storage));
    let mut names: Vec<String> = std::fs::read_dir(setting.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["colony.db.released-1763000000", "nodes"]);
    let kept = Store::open(&released.copy, crate::store::Access::View)
        .await
        .unwrap();
    assert_eq!(kept.nodes().await.unwrap().len(), 3);
    kept.close().await.unwrap();
}

#[tokio::test]
async fn what_is_half_done_is_finished_before_a_release() {
    let setting = Setting::new();
    let mut colony = grown(&setting).await;
    setting.manager.kill_all();
    setting.manager.trouble(Trouble::StartsTimeOut);
    let _ = cycle(&mut colony).await;
    let error = colony.check_release().await.unwrap_err().to_string();
    assert!(error.contains("run wnm once"), "{error}");
    setting.manager.trouble(Trouble::None);
    let _ = cycle(&mut colony).await;
    colony.check_release().await.unwrap();
}
