//! Ports of nodes in the real firewalls, each in a private network.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod daemon;
mod firewalld;
mod nftables;
mod program;
mod ufw;

use std::sync::Arc;

use tokio::runtime::Builder;
use wnm_core::firewall::{Firewall, Opening};
use wnm_core::id::NodeId;
use wnm_core::kind::Mode;
use wnm_core::machine::FirewallChoice;
use wnm_core::ports::Port;
use wnm_host::command::SystemRunner;
use wnm_host::firewall::SystemFirewall;
use wnm_tests::network::{call, in_private_network};

use crate::nftables::chain;
use crate::ufw::{UFW, ufw_rules};

fn firewall(choice: FirewallChoice) -> Arc<SystemFirewall> {
    Arc::new(SystemFirewall::new(
        choice,
        Mode::Sudo,
        Arc::new(SystemRunner),
    ))
}

/// These ports. The first is that of this node.
fn opening(first: u16, last: u16, node: u32) -> Opening {
    let single = |after: u16| {
        let node = NodeId::new(node + u32::from(after)).unwrap();
        Opening::new(node, Port::new(first + after).unwrap())
    };
    Opening::runs((0..=last - first).map(single)).pop().unwrap()
}

/// The port 550NN of node NN.
fn node(number: u16) -> Opening {
    opening(55_000 + number, 55_000 + number, number.into())
}

/// Runs on this thread, since the commands must see its network.
fn now<T>(future: impl Future<Output = T>) -> T {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn open(firewall: &SystemFirewall, ports: &Opening) {
    now(firewall.open(ports)).unwrap();
}

fn close(firewall: &SystemFirewall, ports: &Opening) {
    now(firewall.close(ports)).unwrap();
}

#[test]
fn auto_uses_the_active_firewall() {
    in_private_network(&["nft", UFW[0], UFW[1], UFW[2]], || {
        let auto = firewall(FirewallChoice::Auto);
        let ports = node(1);
        open(&auto, &ports);
        assert_eq!(call("nft list ruleset"), "", "nothing keeps anything out");

        chain("inet", "filter", "drop", &[]);
        open(&auto, &ports);
        assert!(call("nft list ruleset").contains("wnm:antnode0001"));
        close(&auto, &ports);
        assert!(!call("nft list ruleset").contains("wnm:antnode0001"));

        call("ufw --force enable");
        open(&auto, &ports);
        assert_eq!(ufw_rules(), ["55001/udp antnode0001"]);
        assert!(!call("nft list chain inet filter input").contains("wnm:"));
        close(&auto, &ports);
        assert_eq!(ufw_rules(), [""; 0]);
    });
}
