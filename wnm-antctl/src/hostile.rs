//! What antctl prints and keeps, read as the product reads it. For fuzzing and for the tests that read the same
//! inputs again; behind the feature `fuzz`, which is not for programs.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};
use wnm_host::layout;

use crate::place::is_without_services;
use crate::process::number_in;
use crate::registry::{Registry, Service, Standing};
use crate::{version, words};

/// Most characters of a failure that are told on, and of anything else that is taken from antctl's words.
const LONGEST: usize = 600;

/// An output of antctl, its registry, or the number of a process that a node wrote: what is read of services can be
/// put into commands and paths and is read back the same, and what is told to people is short and plain.
pub fn antctl_output(input: &[u8]) {
    if let Some(registry) = Registry::find(input) {
        for service in registry.services() {
            check(service);
        }
        let services: Vec<Value> = registry.services().iter().map(written).collect();
        let text = json!({"daemon": null, "nodes": services}).to_string();
        let again = Registry::find(text.as_bytes()).expect("a registry that does not read back");
        assert_eq!(
            (again.services(), again.unreadable),
            (registry.services(), 0)
        );
        // What antctl prints before and behind it changes nothing.
        let noisy = format!("[DEBUG] {{ nodes: [ {{\n{text}\nnodes: []}}");
        assert_eq!(Registry::find(noisy.as_bytes()), Some(again));
        assert!(!is_without_services(input) || registry.services().is_empty());
    }
    assert!(words::plain(input).chars().all(is_plain));
    if let Some(name) = words::added_name(input) {
        assert!(words::is_name(&name), "{name}");
    }
    for (code, out, err) in [(Some(1), input, &b""[..]), (None, b"", input)] {
        let told = words::failure(code, out, err);
        assert!(
            !told.is_empty() && told.chars().count() <= LONGEST,
            "{told}"
        );
        assert!(told.chars().all(|c| is_plain(c) && c != '\n'), "{told}");
    }
    if let Some(version) = version::read(&words::plain(input)) {
        let again = version::read(&format!("Autonomi Node Manager v{version}\n"));
        assert_eq!(again, Some(version));
    }
    if let Some(pid) = number_in(input) {
        assert_eq!(number_in(format!("{pid}\n").as_bytes()), Some(pid));
    }
}

fn is_plain(c: char) -> bool {
    !c.is_control() || matches!(c, '\n' | '\t')
}

fn check(service: &Service) {
    assert!(words::is_name(&service.name), "{}", service.name);
    let places = [&service.program, &service.data_dir];
    for path in places.into_iter().chain(&service.log_dir) {
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

/// The entry of a service as antctl writes it.
fn written(service: &Service) -> Value {
    json!({
        "service_name": service.name,
        "status": match &service.standing {
            Standing::Added => "Added",
            Standing::Running => "Running",
            Standing::Stopped => "Stopped",
            Standing::Other(word) => word,
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
    use wnm_testkit::Corpus;

    use super::*;

    #[test]
    fn what_fuzzing_kept_is_read_again() {
        Corpus::of("antctl_output").replay(antctl_output);
    }

    proptest! {
        #[test]
        fn changed_inputs_are_read(seed: u64) {
            antctl_output(&Corpus::of("antctl_output").changed(seed));
        }
    }
}
