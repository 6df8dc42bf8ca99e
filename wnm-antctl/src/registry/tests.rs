use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::tests::backend::node;

/// The answer of a real antctl 0.14.2.
const ANSWER: &[u8] = include_bytes!("../../samples/status-2-nodes.json");

fn parse(answer: &Value) -> Registry {
    Registry::parse(answer.to_string().as_bytes()).unwrap()
}

fn entry(number: u32, status: &str) -> Value {
    json!({
        "service_name": format!("antnode{number}"),
        "status": status,
        "antnode_path": format!("/n/antnode{number}/antnode"),
        "data_dir_path": format!("/n/antnode{number}"),
    })
}

#[test]
fn the_answer_of_a_real_antctl_is_parsed() {
    let registry = Registry::parse(ANSWER).unwrap();
    assert_eq!((registry.services().len(), registry.unreadable), (2, 0));
    let Service {
        name,
        state,
        program,
        data_dir,
        log_dir,
        network,
        wallet,
        user,
        ..
    } = &registry.services()[1];
    assert_eq!((name.as_str(), state), ("antnode2", &LifecycleState::Added));
    assert_eq!(program, Path::new("/var/antctl/services/antnode2/antnode"));
    assert_eq!(data_dir, Path::new("/var/antctl/services/antnode2"));
    assert_eq!(
        log_dir.as_deref(),
        Some(Path::new("/var/log/antnode/antnode2"))
    );
    assert_eq!(network.as_deref(), Some("evm-arbitrum-one"));
    assert_eq!(user.as_deref(), Some("ant"));
    let wallet = wallet.unwrap().to_string();
    assert_eq!(wallet, "0x03B770D9cD32077cC0bF330c13C114a87643B124");
    let ports = registry.services()[1].ports().unwrap();
    let numbers = [Some(ports.node), ports.metrics, ports.rpc].map(|port| port.unwrap().get());
    assert_eq!(numbers, [55_003, 13_003, 30_003]);
}

#[test]
fn all_schema_versions_are_parsed() {
    let mut first = entry(1, "Running");
    first["schema_version"] = json!(1);
    first["evm_network"] = json!({"Custom": {"rpc_url_http": "http://127.0.0.1"}});
    first["node_port"] = Value::Null;
    let mut second = entry(2, "Stopped");
    second["schema_version"] = json!(2);
    second["something_new"] = json!([1, 2]);
    let before = entry(3, "Added");
    let registry = parse(&json!({"nodes": [first, second, before], "daemon": null}));
    let states: Vec<&LifecycleState> = registry.services().iter().map(|s| &s.state).collect();
    assert_eq!(
        states,
        [
            &LifecycleState::Running,
            &LifecycleState::Stopped,
            &LifecycleState::Added
        ]
    );
    assert_eq!(
        registry.services()[0].network.as_deref(),
        Some("evm-custom")
    );
    assert_eq!(registry.services()[0].ports(), None);
}

#[test]
fn removed_services_are_skipped_and_unparsable_entries_counted() {
    let mut elsewhere = entry(4, "Running");
    elsewhere["data_dir_path"] = json!("/n/../etc");
    let mut option = entry(5, "Running");
    option["service_name"] = json!("--all");
    let registry = parse(&json!({"nodes": [
        entry(1, "Removed"), entry(2, "Running"), {"service_name": "antnode3"}, elsewhere, option, 7,
    ]}));
    let names: Vec<&str> = registry
        .services()
        .iter()
        .map(|s| s.name.as_str())
        .collect();
    assert_eq!(names, ["antnode2"]);
    assert_eq!(registry.unreadable, 4);
}

#[test]
fn a_relative_log_path_is_ignored() {
    let mut service = entry(1, "Running");
    service["log_dir_path"] = json!("../logs");
    let registry = parse(&json!({"nodes": [service]}));
    assert_eq!(registry.services()[0].log_dir, None);
}

#[test]
fn a_node_is_matched_by_directory_not_by_name() {
    let mut services = Vec::new();
    for (number, dir, port) in [
        (1, "/n/antnode0007/antnode1", 55_007),
        (7, "/n/antnode7", 55_001),
    ] {
        let mut service = entry(number, "Running");
        service["data_dir_path"] = json!(dir);
        service["node_port"] = json!(port);
        services.push(service);
    }
    let registry = parse(&json!({"nodes": services}));
    let find_named = |id: u32, root: &str, service: &str| {
        let mut node = node(id);
        node.root_dir = root.into();
        node.service = service.to_owned();
        registry
            .service_for(&node)
            .map(|service| service.name.clone())
    };
    let find = |id: u32, root: &str| find_named(id, root, &format!("antnode{id:04}"));
    // Its own directory, and the one around it, which the record of an unfinished add has.
    assert_eq!(find(7, "/n/antnode0007/antnode1").unwrap(), "antnode1");
    assert_eq!(find(7, "/n/antnode0007").unwrap(), "antnode1");
    // An unfinished add where antctl chose the paths: only the port is known.
    assert_eq!(find(1, "/elsewhere/antnode0001").unwrap(), "antnode7");
    // The node's service is gone: an operator may have reused its port and its name.
    assert_eq!(find_named(1, "/gone/antnode1", "antnode1"), None);
    assert_eq!(find(9, "/n/antnode0009"), None);
}

proptest! {
    #[test]
    fn every_entry_is_parsed_or_counted(
        name in "[a-z0-9-]{0,12}", status in "[A-Z][a-z]{0,8}", path in "[/a-z0-9.]{0,20}", port in any::<u32>(),
    ) {
        let mut varied = entry(1, &status);
        varied["service_name"] = json!(name);
        varied["data_dir_path"] = json!(path);
        varied["node_port"] = json!(port);
        let registry = parse(&json!({"nodes": [varied, entry(2, "Running")]}));
        let count = registry.services().len() + registry.unreadable;
        prop_assert!(count == 2 || (count == 1 && status == "Removed"));
        for service in registry.services() {
            prop_assert!(is_service_name(&service.name) && service.data_dir.is_absolute());
        }
    }
}
