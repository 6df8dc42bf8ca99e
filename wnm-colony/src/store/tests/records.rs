//! Recording is one transaction: all changes or none.

use std::path::PathBuf;

use tempfile::TempDir;

use super::samples::{id, machine, node, query, sql};
use crate::store::{Access, Changes, CycleState, EventQuery, Store, StoreError};
use wnm_core::container::Container;
use wnm_core::event::{Event, EventId, EventKind, Outcome};
use wnm_core::id::ContainerId;
use wnm_core::id::NodeId;
use wnm_core::machine::MachineLoad;
use wnm_core::node::NodeChange;
use wnm_core::ports::Port;
use wnm_core::quantity::UnixTime;

async fn colony() -> (TempDir, PathBuf, Store) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("colony.db");
    let store = Store::create(&path).await.unwrap();
    let changes = Changes {
        machine: Some(machine()),
        ..Changes::default()
    };
    store.record(&changes).await.unwrap();
    (directory, path, store)
}

fn container(number: u32) -> Container {
    let port = |number| Port::new(number).unwrap();
    Container {
        id: ContainerId(number),
        engine_id: format!("{number:064x}"),
        name: format!("a{number}"),
        image: "iweave/antnode:latest".into(),
        status: "running".into(),
        created_at: UnixTime(1_763_000_000),
        node_ports: Some((port(55_001), port(55_200))),
        metrics_ports: (number != 2).then(|| (port(13_001), port(13_200))),
    }
}

#[tokio::test]
async fn one_transaction_writes_and_overwrites_more_than_a_thousand_nodes() {
    let (_directory, path, store) = colony().await;
    let mut changes = Changes {
        nodes: (1..=1050).map(node).collect(),
        ..Changes::default()
    };
    for records in [7, 8] {
        for node in &mut changes.nodes {
            node.measured.records = records;
        }
        store.record(&changes).await.unwrap();
        assert_eq!(store.nodes().await.unwrap(), changes.nodes);
    }
    let changes = Changes {
        deleted: (1..=1049).map(id).collect(),
        ..Changes::default()
    };
    store.record(&changes).await.unwrap();
    assert_eq!(store.nodes().await.unwrap().len(), 1);
    store.clear_nodes().await.unwrap();
    assert_eq!(store.nodes().await.unwrap(), []);
    assert!(store.machine().await.unwrap().is_some());
    store.close().await.unwrap();
    assert_eq!(
        query(&path, "SELECT integrity_check FROM pragma_integrity_check").await,
        "ok"
    );
}

#[tokio::test]
async fn updates_keep_how_a_node_was_created() {
    let (_directory, path, store) = colony().await;
    let changes = Changes {
        nodes: vec![node(1)],
        ..Changes::default()
    };
    store.record(&changes).await.unwrap();
    let made = "SELECT method || ' ' || layout || ' ' || node_name || ' ' || status FROM node";
    assert_eq!(query(&path, made).await, "systemd+user 1 0001 RUNNING");
    sql(&path, "UPDATE node SET method = 'systemd', layout = '2'").await;
    store.record(&changes).await.unwrap();
    assert_eq!(query(&path, made).await, "systemd 2 0001 RUNNING");
    store.close().await.unwrap();
}

#[tokio::test]
async fn nothing_is_stored_if_one_change_fails() {
    let (_directory, _path, store) = colony().await;
    let mut homeless = node(2);
    homeless.container = Some(ContainerId(9));
    let mut unnamed = node(2);
    unnamed.root_dir = {
        use std::os::unix::ffi::OsStrExt;
        std::ffi::OsStr::from_bytes(b"/srv/\xff").into()
    };
    for bad in [homeless, unnamed] {
        let changes = Changes {
            nodes: vec![node(1), bad],
            events: vec![event(1, None)],
            ..Changes::default()
        };
        store.record(&changes).await.unwrap_err();
        assert_eq!(store.nodes().await.unwrap(), []);
        assert_eq!(store.events(&all()).await.unwrap(), []);
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn the_error_names_a_path_that_is_not_utf8() {
    use std::os::unix::ffi::OsStrExt;
    let (_directory, _path, store) = colony().await;
    let mut bad = node(2);
    bad.root_dir = std::ffi::OsStr::from_bytes(b"/srv/\xff").into();
    let changes = Changes {
        nodes: vec![bad],
        ..Changes::default()
    };
    let error = store.record(&changes).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Row { table: "node", row, column: "root_dir", .. } if row == "2"),
        "{error}"
    );
    store.close().await.unwrap();
}

#[tokio::test]
async fn containers_are_inserted_before_their_nodes_and_deleted_after_them() {
    let (_directory, _path, store) = colony().await;
    let mut inside = node(1);
    inside.container = Some(ContainerId(1));
    let changes = Changes {
        nodes: vec![inside.clone()],
        containers: vec![container(1), container(2)],
        ..Changes::default()
    };
    store.record(&changes).await.unwrap();
    assert_eq!(store.containers().await.unwrap(), changes.containers);
    assert_eq!(store.nodes().await.unwrap(), [inside]);
    let again = Container {
        engine_id: "f".repeat(64),
        ..container(2)
    };
    let changes = Changes {
        deleted: vec![id(1)],
        containers: vec![again.clone()],
        deleted_containers: vec![ContainerId(1)],
        ..Changes::default()
    };
    store.record(&changes).await.unwrap();
    assert_eq!(store.containers().await.unwrap(), [again]);
    store.close().await.unwrap();
}

fn event(at: i64, node: Option<NodeId>) -> Event {
    let kind = EventKind::from_action("start");
    let mut event = Event::new(UnixTime(at), kind, Outcome::Done, format!("at {at}"));
    event.node = node;
    event
}

fn all() -> EventQuery {
    EventQuery {
        since: None,
        node: None,
        after: None,
        limit: u32::MAX,
    }
}

#[tokio::test]
async fn the_journal_returns_the_newest_in_order_and_prunes_the_oldest() {
    let (_directory, _path, store) = colony().await;
    let one = Some(id(1));
    let events = [event(1, None), event(2, one), event(2, None), event(3, one)];
    let changes = Changes {
        events: events.to_vec(),
        ..Changes::default()
    };
    store.record(&changes).await.unwrap();
    let load = async |query| store.events(&query).await.unwrap();
    let recorded = load(all()).await;
    assert!(recorded.is_sorted_by_key(|event| event.seq));
    assert_eq!(unnumbered(recorded.clone()), events);
    let events = recorded;
    let two = EventQuery { limit: 2, ..all() };
    assert_eq!(load(two).await, events[2..]);
    let late = EventQuery {
        since: Some(UnixTime(2)),
        node: one,
        ..all()
    };
    assert_eq!(load(late).await, [events[1].clone(), events[3].clone()]);
    let nodes = async |action, since| store.nodes_with(action, UnixTime(since)).await.unwrap();
    assert_eq!(nodes("start", 3).await, [id(1)].into());
    assert_eq!(nodes("start", 4).await, [].into());
    assert_eq!(nodes("another", 0).await, [].into());
    let changes = Changes {
        prune_events_before: Some(UnixTime(2)),
        events: vec![event(1, None)],
        ..Changes::default()
    };
    store.record(&changes).await.unwrap();
    // Events of the same transaction survive its pruning, whatever the clock said.
    assert_eq!(load(all()).await.len(), 4);
    store.close().await.unwrap();
}

/// Events as they were before they were recorded.
fn unnumbered(mut events: Vec<Event>) -> Vec<Event> {
    for event in &mut events {
        assert!(event.seq.take().is_some());
    }
    events
}

#[tokio::test]
async fn a_reader_goes_on_after_the_last_event_it_read() {
    let (_directory, _path, store) = colony().await;
    // The clock was set back in between: places follow the order of recording, not the times.
    let events = [5, 6, 1, 2, 3].map(|at| event(at, None));
    let changes = Changes {
        events: events.to_vec(),
        ..Changes::default()
    };
    store.record(&changes).await.unwrap();
    let mut read = Vec::new();
    let mut after = Some(EventId(0));
    loop {
        let query = EventQuery {
            after,
            limit: 2,
            ..all()
        };
        let next = store.events(&query).await.unwrap();
        let Some(last) = next.last() else { break };
        after = last.seq;
        read.extend(next);
    }
    assert_eq!(unnumbered(read), events);
    let beyond = EventQuery {
        after: Some(EventId(u64::MAX)),
        ..all()
    };
    assert_eq!(store.events(&beyond).await.unwrap(), []);
    store.close().await.unwrap();
}

#[tokio::test]
async fn the_journal_keeps_what_is_typed_and_reads_rows_without_it() {
    let (_directory, path, store) = colony().await;
    let change = NodeChange::ChangedVersion {
        from: "0.4.6".parse().unwrap(),
        to: "0.4.7".parse().unwrap(),
    };
    let text = change.to_string();
    let typed = Event::new(
        UnixTime(1),
        EventKind::NodeChange(change),
        Outcome::Seen,
        text,
    );
    let changes = Changes {
        events: vec![typed.clone().about(id(1))],
        ..Changes::default()
    };
    store.record(&changes).await.unwrap();
    assert_eq!(
        unnumbered(store.events(&all()).await.unwrap()),
        [typed.about(id(1))]
    );
    store.close().await.unwrap();
    sql(&path, "UPDATE wnm_event SET detail = NULL").await;
    let store = Store::open(&path, Access::ReadWrite).await.unwrap();
    let read = store.events(&all()).await.unwrap().remove(0);
    assert_eq!(read.kind.action(), "changed-version");
    assert_eq!(read.reason, "runs 0.4.7 now, ran 0.4.6 before".into());
    store.close().await.unwrap();
}

#[tokio::test]
async fn the_next_cycle_reads_the_state_of_the_last_one() {
    let (_directory, path, store) = colony().await;
    assert_eq!(store.cycle_state().await.unwrap(), CycleState::default());
    let mut state = CycleState {
        boot_id: Some("5f0c".into()),
        counters: Some(serde_json::json!({"cpu": [1, 2], "at": 3})),
        load: Some(MachineLoad::default()),
        last_cycle_at: Some(UnixTime(1_763_000_000)),
    };
    for boot_id in ["5f0c", "77aa"] {
        state.boot_id = Some(boot_id.into());
        let changes = Changes {
            cycle: Some(state.clone()),
            ..Changes::default()
        };
        store.record(&changes).await.unwrap();
        assert_eq!(store.cycle_state().await.unwrap(), state);
    }
    store.close().await.unwrap();
    sql(&path, "UPDATE wnm_state SET value = '{'").await;
    let store = Store::open(&path, Access::View).await.unwrap();
    assert_eq!(store.cycle_state().await.unwrap(), CycleState::default());
    store.close().await.unwrap();
}
