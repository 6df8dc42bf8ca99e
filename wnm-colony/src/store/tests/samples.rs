//! Things to store, and databases to open.

use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, DatabaseConnection};

use super::super::connection::{Way, connect};
use wnm_core::kind::ManagerKind;
use wnm_core::machine::{ContainerSettings, Machine};
use wnm_core::node::Node;
use wnm_core::quantity::{Seconds, UnixTime};
use wnm_core::testing;
pub use wnm_core::testing::{edit, id};

pub const FAUCET: &str = "0x00455d78f850b0358E8cea5be24d415E01E107CF";

/// Waited for in tests that meet a lock: the answer is certain at once.
pub const SHORT_WAIT: Seconds = Seconds(0);

pub fn machine() -> Machine {
    Machine {
        node_storage: "/srv/ant/nodes".into(),
        rewards: FAUCET.parse().unwrap(),
        last_stopped_at: Some(UnixTime(1_762_990_000)),
        manager: ManagerKind::from_static("systemd+user"),
        containers: ContainerSettings {
            max_nodes: 200,
            min_count: 1,
            image: Some("iweave/antnode:latest".into()),
            network: wnm_core::container::ContainerNetwork::Host,
        },
        antnode_path: "/srv/ant/bin/antnode".into(),
        antctl_path: "/srv/ant/bin/antctl".into(),
        ..testing::machine()
    }
}

pub fn node(number: u32) -> Node {
    let node = testing::node(number);
    let root_dir = PathBuf::from("/srv/ant/nodes").join(node.id.directory_name());
    let now = UnixTime(1_763_000_000);
    let mut node = Node {
        manager: ManagerKind::from_static("systemd+user"),
        binary: root_dir.join("antnode"),
        version: Some(semver::Version::new(0, 4, 16)),
        root_dir,
        peer_id: Some("12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE".into()),
        first_launch: UnixTime(1_762_000_000),
        ..node
    };
    edit(&mut node, |n| {
        n.desired.since = now;
        n.observed.at = now;
        n.status_since = now;
        n.last_start = None;
    });
    node
}

pub const PYTHON_VERSIONS: [&str; 4] = ["0.3.0", "0.4.7", "0.5.8", "0.6.3"];

/// A database as that version of the Python wnm left it.
pub async fn python_database(directory: &Path, version: &str) -> PathBuf {
    let dump = wnm_fixtures::fixture(&format!("python/colony-{version}.sql"));
    let path = directory.join("colony.db");
    sql(&path, &std::fs::read_to_string(dump).unwrap()).await;
    path
}

/// A connection past the store, as another program has it.
pub async fn other_program(path: &Path) -> DatabaseConnection {
    connect(path, Way::Create, SHORT_WAIT).await.unwrap()
}

/// Runs statements on the file, past the store.
pub async fn sql(path: &Path, statements: &str) {
    let db = other_program(path).await;
    db.execute_unprepared(statements).await.unwrap();
    db.close().await.unwrap();
}

/// One text that a query gives, past the store.
pub async fn ask(path: &Path, query: &str) -> String {
    let db = other_program(path).await;
    let row = db
        .query_one_raw(sea_orm::Statement::from_string(
            sea_orm::DbBackend::Sqlite,
            format!("SELECT CAST(({query}) AS TEXT) AS answer"),
        ))
        .await
        .unwrap()
        .unwrap();
    let answer: Option<String> = row.try_get_by("answer").unwrap();
    db.close().await.unwrap();
    answer.unwrap_or_else(|| "NULL".to_owned())
}

/// Names of the files in a directory, sorted.
pub fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
