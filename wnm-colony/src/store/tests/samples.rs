//! Sample nodes and settings, and databases to open.

use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, DatabaseConnection};

use super::super::connection::{OpenMode, connect};
use wnm_core::kind::ManagerKind;
use wnm_core::machine::{ConfigValue, Machine, ManagerSettings};
use wnm_core::node::Node;
use wnm_core::quantity::{Seconds, UnixTime};
use wnm_core::testing;
pub use wnm_core::testing::{edit, id};

pub const FAUCET: &str = "0x00455d78f850b0358E8cea5be24d415E01E107CF";

/// The wait of tests that meet a lock. The result is certain at once.
pub const SHORT_WAIT: Seconds = Seconds(0);

pub fn machine() -> Machine {
    Machine {
        node_storage: "/srv/ant/nodes".into(),
        rewards: FAUCET.parse().unwrap(),
        manager: ManagerKind::from_static("systemd+user"),
        manager_settings: manager_settings(),
        antnode_path: "/srv/ant/bin/antnode".into(),
        ..testing::machine()
    }
}

fn manager_settings() -> ManagerSettings {
    [
        ("max_node_per_container", ConfigValue::Int(200)),
        ("min_container_count", ConfigValue::Int(1)),
        ("docker_image", "iweave/antnode:latest".into()),
        ("antctl_path", "/srv/ant/bin/antctl".into()),
        ("antctl_debug", ConfigValue::Bool(false)),
        ("antctl_version", ConfigValue::Null),
        ("container_network", "host".into()),
        ("fleet_memory_max", ConfigValue::Null),
        ("fleet_cpu_quota", ConfigValue::Null),
    ]
    .into_iter()
    .collect()
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

/// A database that this version of the Python wnm wrote.
pub async fn python_database(directory: &Path, version: &str) -> PathBuf {
    let dump = wnm_fixtures::fixture(&format!("python/colony-{version}.sql"));
    let path = directory.join("colony.db");
    sql(&path, &std::fs::read_to_string(dump).unwrap()).await;
    path
}

/// A connection that bypasses the store, like that of another program.
pub async fn other_program(path: &Path) -> DatabaseConnection {
    connect(path, OpenMode::Create, SHORT_WAIT).await.unwrap()
}

/// Runs statements on the file, bypassing the store.
pub async fn sql(path: &Path, statements: &str) {
    let db = other_program(path).await;
    db.execute_unprepared(statements).await.unwrap();
    db.close().await.unwrap();
}

/// The result of a query as one text, bypassing the store.
pub async fn query(path: &Path, select: &str) -> String {
    let db = other_program(path).await;
    let row = db
        .query_one_raw(sea_orm::Statement::from_string(
            sea_orm::DbBackend::Sqlite,
            format!("SELECT CAST(({select}) AS TEXT) AS answer"),
        ))
        .await
        .unwrap()
        .unwrap();
    let answer: Option<String> = row.try_get_by("answer").unwrap();
    db.close().await.unwrap();
    answer.unwrap_or_else(|| "NULL".to_owned())
}

/// The names of the files in a directory, sorted.
pub fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
