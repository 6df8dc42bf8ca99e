//! Containers, ports and data elsewhere: from what is observed to what is recorded.

use std::sync::Arc;

use tempfile::TempDir;
use wnm_core::command::MockCommandRunner;
use wnm_core::container::ContainerState;
use wnm_core::cycle::{CycleReport, CycleStatus};
use wnm_core::decide::{Act, MachineAct, Reason};
use wnm_core::event::Outcome;
use wnm_core::firewall::NoFirewall;
use wnm_core::id::ContainerId;
use wnm_core::machine::{Delays, FirewallChoice, Limits, Machine};
use wnm_core::manager::ProcessManager;
use wnm_core::node::{Node, ObservedState};
use wnm_core::quantity::Seconds;
use wnm_core::registry::{ManagerRegistry, ProgramRegistry};
use wnm_core::testing;
use wnm_programs::AntnodeFactory;
use wnm_testkit::{FakeClock, FakeMachine, FakeNodes, FakeProgram, MemoryManager};

use super::super::{Colony, CycleOptions, Environment};
use crate::store::EventQuery;

const A1: ContainerId = ContainerId(1);

struct Setting {
    dir: TempDir,
    manager: Arc<MemoryManager>,
    machine: Arc<FakeMachine>,
    clock: Arc<FakeClock>,
}

impl Setting {
    fn new(manager: MemoryManager) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            manager: Arc::new(manager),
            machine: Arc::default(),
            clock: Arc::default(),
        }
    }

    /// A colony of at most three nodes, which all come up in one cycle.
    async fn colony(&self) -> Colony {
        let manager = Arc::clone(&self.manager);
        let managers = ManagerRegistry::new().with_kind(testing::MANAGER, move |_, _| {
            let manager: Arc<dyn ProcessManager> = manager.clone();
            Ok(manager)
        });
        let environment = Environment::system(managers, ProgramRegistry::new(AntnodeFactory))
            .program(Arc::new(FakeProgram::default()))
            .probe(Arc::new(FakeNodes::default()))
            .machine_probe(self.machine.clone())
            .clock(self.clock.clone())
            .runner(Arc::new(MockCommandRunner::new()))
            .firewall(Arc::new(NoFirewall))
            .home(Some(self.dir.path().to_owned()));
        let machine = Machine {
            node_cap: 3,
            node_storage: self.dir.path().join("nodes"),
            firewall: FirewallChoice::Auto,
            delays: Delays {
                start: Seconds(0),
                restart: Seconds(0),
                upgrade: Seconds(0),
                remove: Seconds(0),
            },
            limits: Limits {
                upgrades: 3,
                starts: 3,
                removals: 3,
                operations: 3,
            },
            ..testing::machine()
        };
        let db = self.dir.path().join("colony.db");
        Colony::init(&db, machine, environment).await.unwrap()
    }

    /// A colony with its three nodes running and nothing to do.
    async fn grown(&self) -> Colony {
        let mut colony = self.colony().await;
        assert_eq!(self.cycle(&mut colony).await.status, CycleStatus::AddedNode);
        let idle = self.cycle(&mut colony).await;
        assert_eq!((idle.status, idle.plan.steps.len()), (CycleStatus::Idle, 0));
        assert_eq!(idle.plan.machine_steps, []);
        colony
    }

    async fn cycle(&self, colony: &mut Colony) -> CycleReport {
        self.clock.advance(Seconds(60));
        let report = colony.cycle(&CycleOptions::default()).await.unwrap();
        assert_eq!(report.nodes, colony.nodes().await.unwrap());
        report
    }
}

fn states(nodes: &[Node]) -> Vec<ObservedState> {
    nodes.iter().map(|node| node.observed().state).collect()
}

async fn reasons(colony: &Colony, action: &str) -> Vec<(&'static str, String)> {
    let query = EventQuery {
        after: None,
        since: None,
        node: None,
        limit: 1000,
    };
    let events = colony.events(&query).await.unwrap().into_iter();
    let of_action = events.filter(|event| event.kind.action() == action);
    let told = of_action.map(|event| (event.outcome.as_str(), event.reason.to_string()));
    told.collect()
}

#[tokio::test]
async fn the_first_cycle_creates_the_container_of_its_nodes() {
    let setting = Setting::new(MemoryManager::with_containers(5));
    let mut colony = setting.colony().await;
    let report = setting.cycle(&mut colony).await;
    assert_eq!(report.status, CycleStatus::AddedNode);
    assert_eq!(report.machine_results.len(), 1);
    assert_eq!(report.machine_results[0].outcome, Outcome::Done);
    assert_eq!(
        setting.manager.calls(),
        ["ensure a1", "add 1 2 3", "start 1 2 3"]
    );
    let created = "container a1: it is missing, 3 nodes to be added";
    assert_eq!(
        reasons(&colony, "container").await,
        [("done", created.to_owned())]
    );
}

#[tokio::test]
async fn a_plan_shows_what_a_cycle_then_does_with_a_stopped_container() {
    let setting = Setting::new(MemoryManager::with_containers(5));
    let mut colony = setting.grown().await;
    setting.manager.set_container(A1, ContainerState::Stopped);
    let calls = setting.manager.calls().len();
    let (snapshot, plan) = colony.plan(&CycleOptions::default()).await.unwrap();
    assert_eq!(
        setting.manager.calls().len(),
        calls,
        "a plan changed something"
    );
    assert_eq!(snapshot.containers[0].state, ContainerState::Stopped);
    assert_eq!(
        plan.machine_steps[0].act,
        MachineAct::EnsureContainer { container: A1 }
    );
    assert_eq!(plan.steps.len(), 3);
    for step in &plan.steps {
        assert_eq!(step.reason, Reason::ContainerRestarted { id: A1 });
    }

    let report = setting.cycle(&mut colony).await;
    assert_eq!(report.plan.steps, plan.steps);
    assert_eq!(
        setting.manager.calls()[calls..],
        ["ensure a1", "start 1 2 3"]
    );
    assert_eq!(states(&report.nodes), [ObservedState::Running; 3]);
    // They ran before, so their load is no news and holds nothing up.
    assert!(report.nodes.iter().all(|node| node.transition().is_none()));
    let started = ("done", "its container a1 restarted".to_owned());
    assert_eq!(reasons(&colony, "start").await, vec![started; 3]);
    let after = setting.cycle(&mut colony).await;
    assert_eq!(
        (after.plan.steps, after.plan.machine_steps),
        (vec![], vec![])
    );
}

#[tokio::test]
async fn nodes_come_back_to_a_container_that_restarted_by_itself() {
    let setting = Setting::new(MemoryManager::with_containers(5));
    let mut colony = setting.grown().await;
    setting.manager.restart_container(A1);
    let calls = setting.manager.calls().len();
    let report = setting.cycle(&mut colony).await;
    assert_eq!(setting.manager.calls()[calls..], ["start 1 2 3"]);
    assert_eq!(states(&report.nodes), [ObservedState::Running; 3]);
}

#[tokio::test]
async fn a_reboot_brings_containers_and_nodes_back_and_only_that() {
    let setting = Setting::new(MemoryManager::with_containers(5));
    let mut colony = setting.grown().await;
    setting.machine.reboot();
    setting.manager.set_container(A1, ContainerState::Stopped);
    let report = setting.cycle(&mut colony).await;
    assert_eq!(report.status, CycleStatus::SystemRebooted);
    assert_eq!(states(&report.nodes), [ObservedState::Running; 3]);
}

#[tokio::test]
async fn a_container_that_cannot_be_used_fails_its_step_and_those_that_need_it() {
    let setting = Setting::new(MemoryManager::with_containers(5));
    let mut colony = setting.colony().await;
    setting.manager.break_container(A1);
    let report = setting.cycle(&mut colony).await;
    assert_eq!(report.status, CycleStatus::Error);
    let reason = Some("container a1: is broken".to_owned());
    assert_eq!(report.machine_results[0].error, reason);
    assert_eq!(report.results.len(), 3);
    for result in &report.results {
        assert_eq!((result.step.act, &result.error), (Act::Add, &reason));
    }
    assert_eq!(report.nodes, []);
    assert_eq!(setting.manager.calls(), ["ensure a1"]);
    assert_eq!(reasons(&colony, "container").await[0].0, "failed");
}

#[tokio::test]
async fn ports_are_opened_after_a_reboot_as_a_step() {
    let manager = MemoryManager::new().with_policy(|policy| policy.opens_ports = true);
    let setting = Setting::new(manager);
    let mut colony = setting.grown().await;
    setting.machine.reboot();
    let (_, plan) = colony.plan(&CycleOptions::default()).await.unwrap();
    assert!(matches!(
        plan.machine_steps[0].act,
        MachineAct::OpenPorts { .. }
    ));
    let report = setting.cycle(&mut colony).await;
    assert_eq!(report.machine_results[0].outcome, Outcome::Done);
    let opened = "ports of nodes 1, 2, 3: a reboot may have closed them";
    assert_eq!(
        reasons(&colony, "ports").await,
        [("done", opened.to_owned())]
    );
}

#[tokio::test]
async fn nodes_without_a_directory_here_are_never_dead() {
    let setting = Setting::new(MemoryManager::new());
    let mut colony = setting.grown().await;
    assert!(
        colony
            .nodes()
            .await
            .unwrap()
            .iter()
            .all(|node| !node.root_dir.exists())
    );
    // A marked storage proves that its disk is there, and a missing directory would be gone.
    assert!(crate::observe::is_marked(&setting.dir.path().join("nodes")));
    setting.manager.kill_all();
    let report = setting.cycle(&mut colony).await;
    assert_eq!(report.status, CycleStatus::StartedNodes);
    assert_eq!(states(&report.nodes), [ObservedState::Running; 3]);
}
