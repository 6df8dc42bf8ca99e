//! Settings are checked wherever they enter, and what wnm keeps besides them is never written back stale.

use wnm_core::kind::ManagerKind;
use wnm_core::machine::MachineState;
use wnm_core::paths::UnknownHome;
use wnm_core::registry::UnregisteredManager;

use super::*;
use crate::store::{Access, Changes};

const TMUX_USER: ManagerKind = ManagerKind::from_static("tmux+user");

async fn store_of(setting: &Setting, changes: Changes) {
    let store = Store::open(&setting.db(), Access::ReadWrite).await.unwrap();
    store.record(&changes).await.unwrap();
    store.close().await.unwrap();
}

/// A colony under a manager that nothing here has.
async fn under_tmux(setting: &Setting) {
    let colony = grown(setting).await;
    let mut machine = colony.machine().clone();
    let mut nodes = colony.nodes().await.unwrap();
    colony.close().await.unwrap();
    machine.manager = TMUX_USER;
    for node in &mut nodes {
        node.manager = TMUX_USER;
    }
    let changes = Changes {
        machine: Some(machine),
        nodes,
        ..Changes::default()
    };
    store_of(setting, changes).await;
}

#[tokio::test]
async fn a_colony_of_an_unregistered_manager_can_be_looked_at_and_not_worked_on() {
    let setting = Setting::new();
    under_tmux(&setting).await;
    let missing = UnregisteredManager {
        kind: TMUX_USER,
        registered: vec![MANAGER],
    };
    let opened = Colony::open(&setting.db(), setting.environment()).await;
    let Err(ColonyError::NoManager(error)) = opened else {
        panic!("it was opened");
    };
    assert_eq!(error, missing);

    let mut view = Colony::view(&setting.db(), setting.environment())
        .await
        .unwrap();
    assert_eq!(view.missing_manager(), Some(&missing));
    let nodes = view.nodes().await.unwrap();
    assert!(nodes.len() == 3 && nodes.iter().all(|node| node.manager == TMUX_USER));
    assert!(!actions(&view).await.is_empty());
    view.use_machine(view.machine().clone()).unwrap();
    let planned = view.plan(&CycleOptions::default()).await;
    assert!(matches!(planned, Err(ColonyError::NoManager(_))));
    view.close().await.unwrap();
    assert_eq!(setting.manager.calls(), 6, "three adds and three starts");
}

#[tokio::test]
async fn storing_settings_leaves_what_was_counted_since() {
    let setting = Setting::new();
    let mut colony = grown(&setting).await;
    let machine = colony.machine().clone();
    let counted = MachineState {
        highest_id: NodeId::new(7),
        last_stopped_at: Some(NOW),
    };
    let changes = Changes {
        highest_id: counted.highest_id,
        last_stopped_at: counted.last_stopped_at,
        ..Changes::default()
    };
    colony.store.record(&changes).await.unwrap();
    let settings = Machine {
        node_cap: 5,
        ..machine
    };
    colony.store_machine(settings.clone(), &[]).await.unwrap();
    assert_eq!(colony.machine_state().await.unwrap(), counted);
    assert_eq!(colony.stored_machine().await.unwrap(), Some(settings));
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_refused_at_every_door() {
    let setting = Setting::new();
    let good = &setting.machine;
    let mut inverted = good.clone();
    inverted.thresholds.cpu.add_below = inverted.thresholds.cpu.remove_above;
    let mut shared_ports = good.clone();
    shared_ports.ports.metrics = shared_ports.ports.node;
    let mut upwards = good.clone();
    upwards.node_storage = "/srv/../etc".into();
    let mut too_many = good.clone();
    too_many.node_cap = 60_000;
    let bad = [inverted, shared_ports, upwards, too_many];
    for machine in &bad {
        let made = Colony::init(&setting.db(), machine.clone(), setting.environment()).await;
        let Err(ColonyError::Settings(error)) = made else {
            panic!("{machine:?} was taken");
        };
        assert!(!error.conflicts.is_empty());
        let checked = Colony::check_init(&setting.db(), machine, &setting.environment()).await;
        assert!(matches!(checked, Err(ColonyError::Settings(_))));
        assert!(!setting.db().exists());
    }
    let mut colony = setting.colony().await;
    let good = colony.machine().clone();
    for machine in &bad {
        let used = colony.use_machine(machine.clone());
        assert!(matches!(used, Err(ColonyError::Settings(_))));
        let stored = colony.store_machine(machine.clone(), &[]).await;
        assert!(matches!(stored, Err(ColonyError::Settings(_))));
        assert_eq!(colony.machine(), &good);
    }
}

#[tokio::test]
async fn a_colony_that_has_odd_settings_takes_others_that_are_right() {
    let setting = Setting::new();
    let mut odd = setting.machine.clone();
    setting.colony().await.close().await.unwrap();
    odd.thresholds.cpu.add_below = odd.thresholds.cpu.remove_above;
    let changes = Changes {
        machine: Some(odd.clone()),
        ..Changes::default()
    };
    store_of(&setting, changes).await;
    let mut colony = Colony::open(&setting.db(), setting.environment())
        .await
        .unwrap();
    let more = odd.clone().with_node_cap(4);
    colony.store_machine(more.clone(), &[]).await.unwrap();
    assert_eq!(colony.machine(), &more);
    let mut worse = more;
    worse.thresholds.memory.add_below = worse.thresholds.memory.remove_above;
    let stored = colony.store_machine(worse, &[]).await;
    let Err(ColonyError::Settings(error)) = stored else {
        panic!("it was stored");
    };
    assert_eq!(error.conflicts.len(), 1);
}

#[tokio::test]
async fn no_home_is_needed_where_all_paths_are_given() {
    let setting = Setting::new();
    assert_eq!(
        wnm_core::paths::Paths::for_mode(MANAGER.mode(), None),
        Err(UnknownHome)
    );
    let environment = || setting.environment().home(None);
    let made = Colony::init(&setting.db(), setting.machine.clone(), environment()).await;
    let mut colony = made.unwrap();
    assert_eq!(cycle(&mut colony).await.status, CycleStatus::AddedNode);
    colony.close().await.unwrap();
    let colony = Colony::open(&setting.db(), environment()).await.unwrap();
    assert_eq!(colony.nodes().await.unwrap().len(), 3);
}
