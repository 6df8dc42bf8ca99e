//! Checks on what antctl prints and stores, parsed as the product parses it. For fuzz targets and for the tests
//! that replay their corpora; behind the feature `fuzz`, which is not for programs.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};
use wnm_host::layout;

use crate::layout::lists_no_services;
use crate::process_table::parse_pid;
use crate::registry::{LifecycleState, Registry, Service};
use crate::{output, version};

/// Most characters of a reported failure.
const MAX_LENGTH: usize = 600;

/// Checks antctl's output, its registry, or a node's pid file. Parsed services must be safe in commands and
/// paths and must survive a round trip; messages for people must be short and plain.
pub fn antctl_output(input: &[u8]) {
    if let Some(registry) = Registry::parse(input) {
        for service in registry.services() {
            check(service);
        }
        let services: Vec<Value> = registry.services().iter().map(to_entry).collect();
        let text = json!({"daemon": null, "nodes": services}).to_string();
        let again = Registry::parse(text.as_bytes()).expect("a registry that does not read back");
        assert_eq!(
            (again.services(), again.unreadable),
            (registry.services(), 0)
        );
        // Output before and after the registry changes nothing.
        let noisy = format!("[DEBUG] {{ nodes: [ {{\n{text}\nnodes: []}}");
        assert_eq!(Registry::parse(noisy.as_bytes()), Some(again));
        assert!(!lists_no_services(input) || registry.services().is_empty());
    }
    assert!(output::plain_text(input).chars().all(is_plain));
    if let Some(name) = output::added_name(input) {
        assert!(output::is_service_name(&name), "{name}");
    }
    for (code, out, err) in [(Some(1), input, &b""[..]), (None, b"", input)] {
        let message = output::failure_message(code, out, err);
        assert!(
            !message.is_empty() && message.chars().count() <= MAX_LENGTH,
            "{message}"
        );
        assert!(
            message.chars().all(|c| is_plain(c) && c != '\n'),
            "{message}"
        );
    }
    if let Some(version) = version::parse(&output::plain_text(input)) {
        let again = version::parse(&format!("Autonomi Node Manager v{version}\n"));
        assert_eq!(again, Some(version));
    }
    if let Some(pid) = parse_pid(input) {
        assert_eq!(parse_pid(format!("{pid}\n").as_bytes()), Some(pid));
    }
}

fn is_plain(c: char) -> bool {
    !c.is_control() || matches!(c, '\n' | '\t')
}

fn check(service: &Service) {
    assert!(output::is_service_name(&service.name), "{}", service.name);
    let paths = [&service.program, &service.data_dir];
    for path in paths.into_iter().chain(&service.log_dir) {
        assert!(layout::is_place(path), "{}", path.display());
    }
    let networks = [
        "evm-arbitrum-one",
        "evm-arbitrum-sepolia-test",
        "evm-custom",
    ];
    assert!(
        service
            .network
            .as_deref()
            .is_none_or(|name| networks.contains(&name))
    );
}

/// A service's entry as antctl writes it.
fn to_entry(service: &Service) -> Value {
    json!({
        "service_name": service.name,
        "status": match &service.state {
            LifecycleState::Added => "Added",
            LifecycleState::Running => "Running",
            LifecycleState::Stopped => "Stopped",
            LifecycleState::Other(word) => word,
        },
        "antnode_path": service.program,
        "data_dir_path": service.data_dir,
        "log_dir_path": service.log_dir,
        "node_port": service.node_port.map(|port| port.get()),
        "metrics_port": service.metrics_port.map(|port| port.get()),
        "rpc_socket_addr": service.rpc_port.map(|port| format!("127.0.0.1:{port}")),
        "evm_network": service.network.as_deref().map(|network| match network {
            "evm-arbitrum-one" => json!("ArbitrumOne"),
            "evm-custom" => json!({"Custom": {}}),
            _ => json!("ArbitrumSepoliaTest"),
        }),
        "rewards_address": service.wallet.map(|wallet| wallet.to_string()),
        "user": service.user,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wnm_fixtures::Corpus;

    use super::*;

    #[test]
    fn the_fuzz_corpus_is_replayed() {
        Corpus::of("antctl_output").replay(antctl_output);
    }

    proptest! {
        #[test]
        fn mutated_inputs_are_handled(seed: u64) {
            antctl_output(&Corpus::of("antctl_output").changed(seed));
        }
    }
}
