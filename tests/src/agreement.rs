//! Checks a colony of plain processes while no transition is under way: rows, processes and directories must agree.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use crate::colony::Colony;
use crate::database::NodeRow;
use crate::wait::{LONG, until};

/// Other entries of the node storage.
const IN_STORAGE: [&str; 3] = [".wnm", "bootstrap-cache", "logs"];

/// Everything in a node's directory: no part of a program, no previous one, no temporary file.
pub(crate) const IN_NODE: [&str; 6] = [
    "antnode",
    "antnode.pid",
    "historic_quoting_metrics",
    "network_key_version",
    "record_store",
    "secret-key",
];

/// Everything in a node's log directory.
const IN_LOGS: [&str; 2] = ["antnode.log", "antnode.out"];

/// Everything in the directory of the test. A killed process leaves the last two if it had the database open.
const IN_TEST: [&str; 8] = [
    "colony.db",
    "colony.db.lock",
    "home",
    "nodes",
    "programs",
    "tmp",
    "colony.db-shm",
    "colony.db-wal",
];

/// Fails the test unless each row has its process, directories and files, once, and nothing is without a row.
#[track_caller]
pub fn check(colony: &Colony) {
    let rows = colony.database().nodes();
    let under_way = colony.database().rows(&["transition"], "node");
    let none = under_way.iter().flatten().all(Option::is_none);
    assert!(none, "under way: {under_way:?} of {rows:#?}");
    assert_unique(&rows);
    check_processes(colony, &rows);
    check_files(colony, &rows);
}

#[track_caller]
fn check_processes(colony: &Colony, rows: &[NodeRow]) {
    let mut processes = colony.processes();
    for row in rows {
        let running = match row.status.as_str() {
            "RUNNING" => 1,
            "STOPPED" | "DISABLED" => 0,
            other => panic!("{other}: {row:?}"),
        };
        let own = processes.extract_if(.., |process| {
            process.exe == row.root_dir.join("antnode") && process.root_dir() == Some(&row.root_dir)
        });
        assert_eq!(own.count(), running, "processes of {row:#?}");
    }
    assert!(processes.is_empty(), "of no row: {processes:#?}");
}

/// Fails the test when two rows share what must be unique to one node.
#[track_caller]
pub fn assert_unique(rows: &[NodeRow]) {
    let properties: [fn(&NodeRow) -> String; 5] = [
        |row| row.name.clone(),
        |row| row.service.clone(),
        |row| row.root_dir.display().to_string(),
        |row| row.port.to_string(),
        |row| format!("{:?}", row.metrics_port),
    ];
    for property in properties {
        let distinct: BTreeSet<String> = rows.iter().map(property).collect();
        assert_eq!(distinct.len(), rows.len(), "{rows:#?}");
    }
}

#[track_caller]
fn check_files(colony: &Colony, rows: &[NodeRow]) {
    let (storage, logs) = (colony.storage(), colony.storage().join("logs"));
    let services: BTreeSet<String> = rows.iter().map(|row| row.service.clone()).collect();
    let mut in_storage = names(&storage);
    in_storage.retain(|name| !IN_STORAGE.contains(&name.as_str()));
    assert_eq!(in_storage, services, "directories and rows");
    assert_eq!(names(&logs), services, "log directories and rows");
    for service in &services {
        let (node, logs) = (names(&storage.join(service)), names(&logs.join(service)));
        assert_eq!(node, IN_NODE.map(str::to_owned).into(), "in {service}");
        assert_eq!(logs, IN_LOGS.map(str::to_owned).into(), "in logs/{service}");
    }
    for empty in [
        colony.home(),
        colony.temporary(),
        storage.join("bootstrap-cache"),
    ] {
        let nothing = !empty.exists() || names(&empty).is_empty();
        assert!(nothing, "{}: {:?}", empty.display(), names(&empty));
    }
    let mut outside = names(colony.dir());
    outside.retain(|name| !IN_TEST.contains(&name.as_str()));
    assert!(outside.is_empty(), "{outside:?}");
}

/// The names in a directory; none where there is no directory.
pub(crate) fn names(dir: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

/// Fails the test unless the page of this node, which `page` fetches, is its own. The node gets time to open its port.
#[track_caller]
pub fn assert_page_is_of(row: &NodeRow, page: impl Fn(u16) -> io::Result<String>) {
    let version = format!("antnode_version=\"{}\"", row.version.as_deref().unwrap());
    let peer_id = format!("peer_id=\"{}\"", row.peer_id.as_deref().unwrap());
    let port = row.metrics_port.unwrap();
    until(LONG, format!("{version} {peer_id} on port {port}"), || {
        page(port).is_ok_and(|page| page.contains(&version) && page.contains(&peer_id))
    });
}
